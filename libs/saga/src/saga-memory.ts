/**
 * The open sagas as this replica last committed them, so that a reply need not read what it is going to write.
 *
 * Another replica may have moved a saga since. Two rules make this harmless. A decision from memory is written only if
 * nobody has written that transition (the key of the history). An event that does not fit the remembered saga is
 * checked in the database before it is dropped.
 */
import { BoundedMap } from './bounded-map';
import { isUnderWay } from './saga-state';
import type { SagaRow } from './saga.repository';

/** About 2 kB each. A forgotten saga is read from the database. */
const MAX_REMEMBERED = 10_000;

export class SagaMemory {
  private readonly rows: BoundedMap<string, SagaRow>;

  constructor(max = MAX_REMEMBERED) {
    this.rows = new BoundedMap(max);
  }

  /** Takes the sagas out of the memory. A second run after a lost race finds nothing here, and reads. */
  take(ids: readonly string[]): Map<string, SagaRow> {
    const taken = new Map<string, SagaRow>();
    for (const id of ids) {
      const row = this.rows.get(id);
      if (!row) continue;
      taken.set(id, row);
      this.rows.delete(id);
    }
    return taken;
  }

  /** Ended, parked, waiting and held sagas are forgotten, because few events come for them. */
  remember(row: SagaRow): void {
    if (isUnderWay(row.state) && !row.state.waiting && !row.state.held) this.rows.put(row.id, row);
    else this.rows.delete(row.id);
  }
}
