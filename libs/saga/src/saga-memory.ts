/**
 * The open sagas as this replica last committed them, so that a reply need not read what it is about to write.
 *
 * Another replica may have moved a saga since. Two rules make that harmless: what is decided from memory is written
 * only if nobody has written that transition (the history's key), and an event that does not fit what is remembered is
 * looked up before it is dropped.
 */
import { BoundedMap } from './bounded-map';
import type { SagaRow } from './saga.repository';

/** Some 2 kB each; a saga that was forgotten is read. */
const MAX_REMEMBERED = 10_000;

export class SagaMemory {
  private readonly rows: BoundedMap<string, SagaRow>;

  constructor(max = MAX_REMEMBERED) {
    this.rows = new BoundedMap(max);
  }

  /** Takes them out: whoever runs again after a lost race finds nothing, and reads. */
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

  /** Ended and parked sagas are forgotten: hardly anything comes for them. */
  remember(row: SagaRow): void {
    const { status } = row.state;
    if (status === 'running' || status === 'compensating') this.rows.put(row.id, row);
    else this.rows.delete(row.id);
  }
}
