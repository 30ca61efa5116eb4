/**
 * The orders that are open by the word of this replica's own commits, so that who waits for one need not look first.
 *
 * Another replica may have settled one since, and its hint may be lost. So this may only put off a look, never take its
 * place: who waits for an order that is not open any more learns of it a second later, as after any hint that is lost.
 */
import { Recent } from '@shop/resilience';

/** Some 150 bytes each; of an order that was forgotten is read how it is. */
const MAX_OPEN = 20_000;

export class OpenOrders {
  /** By `keyOf`, from the one that was longest without a move to the newest. */
  private readonly keys: Recent<string>;

  constructor(max = MAX_OPEN) {
    this.keys = new Recent(max);
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }

  /** This replica has committed that it is open. */
  add(key: string): void {
    this.keys.put(key, true);
  }

  /** It is settled, whoever says so. */
  delete(key: string): void {
    this.keys.delete(key);
  }
}
