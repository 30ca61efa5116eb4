/**
 * Sees in which order payment learns that a charge is undone, and asks the provider for its money. It looks at what is
 * committed and not at what the product says of itself, so it also sees what a removed safeguard does.
 */
import type { Process } from './stage';

/** Behind these, a process knows whether the charge is undone. */
const LEARNING = ['ledger.insert-pending', 'ledger.save-points', 'ledger.resume-one', 'ledger.resume-overdue'];
const CHARGE = /[0-9a-f-]{36}\/charge\/do/g;
const UNDO = /[0-9a-f-]{36}\/charge\/undo/g;

/** A statement that was sent in a transaction. */
export interface Sent {
  name: string;
  values: string;
  /** When it was sent. */
  at: number;
  /** What is now for its transaction. */
  now: number;
}

export class Witness {
  /** Ids of charges for which money was asked by a process that could know that they were undone. */
  readonly chargedByUndo = new Set<string>();
  private moment = 0;
  /** When the undo of a charge was first looked up: from then on its charge is marked, or cannot be begun. */
  private readonly undone = new Map<string, number>();
  /** When a process last learned about a charge. */
  private readonly learned = new Map<string, number>();

  /** A transaction of the payment service is committed. */
  sees({ name }: Process, sent: readonly Sent[]): void {
    this.moment++;
    for (const statement of sent) {
      if (statement.name === 'ledger.find-entries') {
        for (const [undo] of statement.values.matchAll(UNDO)) {
          const charge = undo.replace(/undo$/, 'do');
          if (!this.undone.has(charge)) this.undone.set(charge, this.moment);
        }
      } else if (LEARNING.includes(statement.name)) {
        for (const [charge] of statement.values.matchAll(CHARGE)) this.learned.set(`${name} ${charge}`, this.moment);
      }
    }
  }

  confirms({ name }: Process, charge: string): void {
    const undone = this.undone.get(charge);
    const learned = this.learned.get(`${name} ${charge}`);
    if (undone !== undefined && (learned === undefined || learned > undone)) this.chargedByUndo.add(charge);
  }
}
