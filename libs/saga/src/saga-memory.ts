/**
 * The open sagas as this replica last committed them, so that a reply need not read what it is about to write.
 *
 * Another replica may have moved a saga since. Two rules make that harmless: what is decided from memory is written
 * only if nobody has written that transition (the history's key), and an event that does not fit what is remembered is
 * looked up before it is dropped.
 */
import { Recent } from '@shop/resilience';
import type { SagaEvent } from './saga-state';
import type { SagaRow } from './saga.repository';

/** A reply that is not written yet, though the early command that follows from it has left. */
export interface Heard {
  sagaId: string;
  event: SagaEvent;
  heardAt: Date;
  /** Of the saga, when it was heard. */
  version: number;
}

/** Some 2 kB each; a saga that was forgotten is read. */
const MAX_REMEMBERED = 10_000;

export class SagaMemory {
  private readonly rows: Recent<string, SagaRow>;
  /** The oldest first. */
  private readonly unwritten = new Map<string, Heard>();

  constructor(private readonly max = MAX_REMEMBERED) {
    this.rows = new Recent(max);
  }

  get(id: string): SagaRow | undefined {
    return this.rows.get(id);
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
    if (!this.heardOf(row)) this.unhear(row.id);
    const { status } = row.state;
    if (status === 'running' || status === 'compensating') this.rows.put(row.id, row);
    else this.rows.delete(row.id);
  }

  /** False when there is no room for it. */
  hear(heard: Heard): boolean {
    if (this.unwritten.size >= this.max) return false;
    this.unwritten.set(heard.sagaId, heard);
    return true;
  }

  /** What was heard of the saga in this very version. */
  heardOf({ id, version }: Pick<SagaRow, 'id' | 'version'>): Heard | undefined {
    const heard = this.unwritten.get(id);
    return heard?.version === version ? heard : undefined;
  }

  /** What still waits to be written since then, or longer. */
  heardBefore(time: Date): Heard[] {
    const old: Heard[] = [];
    for (const heard of this.unwritten.values()) {
      if (heard.heardAt > time) break;
      old.push(heard);
    }
    return old;
  }

  unhear(sagaId: string): void {
    this.unwritten.delete(sagaId);
  }
}
