/**
 * What this replica remembers of its own commits, so that the usual command need not read what it changes: which SKUs
 * are scarce, the lines of open reservations, and the commands that came by.
 *
 * Another replica may have changed any of it since. So it only says what to presume; saving proves it.
 */
import { RecentKeys } from '@shop/idempotency';
import { Recent } from '@shop/resilience';
import { type Reservation, type Shelf, stockKey } from '../stock/stock';

/** With fewer pieces left to reserve, a SKU is read first: the next buyers may be the ones who get none. */
const SCARCE_BELOW = 100;
/** Some 100 bytes each. */
const MAX_SCARCE = 50_000;
/** Some 500 bytes each. */
const MAX_OPEN = 10_000;

export class InventoryMemory {
  readonly commands = new RecentKeys();
  private readonly scarce = new Recent<string>(MAX_SCARCE);
  private readonly open = new Recent<string, Omit<Reservation, 'status'>>(MAX_OPEN);

  isScarce(tenant: string, sku: string): boolean {
    return this.scarce.has(stockKey(tenant, sku));
  }

  /** The reservation, if this replica has left it open. */
  recall(id: string): Reservation | undefined {
    const known = this.open.get(id);
    return known && { ...known, status: 'open' };
  }

  /** Takes in what was committed. */
  learn(shelf: Shelf): void {
    for (const { tenant, sku, onHand, reserved } of shelf.rows) {
      const key = stockKey(tenant, sku);
      if (onHand - reserved < SCARCE_BELOW) this.scarce.put(key, true);
      // What was only presumed tells nothing.
      else if (Number.isFinite(onHand)) this.scarce.delete(key);
    }
    for (const key of shelf.missing) this.scarce.put(key, true);
    for (const reservation of shelf.allReservations) this.remember(reservation);
  }

  private remember({ status, ...reservation }: Reservation): void {
    if (status === 'open') this.open.put(reservation.id, reservation);
    else this.open.delete(reservation.id);
  }
}
