/**
 * What this replica remembers of its own commits, so that the usual command need not read what it changes: which SKUs
 * are scarce, the lines of open reservations, and the commands that came by.
 *
 * Another replica may have changed any of it since. So it only says what to presume; saving proves it.
 */
import { RecentKeys } from '@shop/idempotency';
import { type Reservation, type Shelf, stockKey } from '../stock/stock';

/** With fewer pieces left to reserve, a SKU is read first: the next buyers may be the ones who get none. */
const SCARCE_BELOW = 100;
/** Some 100 bytes each. */
const MAX_SCARCE = 50_000;
/** Some 500 bytes each. */
const MAX_OPEN = 10_000;

export class InventoryMemory {
  readonly commands = new RecentKeys();
  private readonly scarce = new Set<string>();
  private readonly open = new Map<string, Omit<Reservation, 'status'>>();

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
      if (onHand - reserved < SCARCE_BELOW) add(this.scarce, key, MAX_SCARCE);
      // What was only presumed tells nothing.
      else if (Number.isFinite(onHand)) this.scarce.delete(key);
    }
    for (const key of shelf.missing) add(this.scarce, key, MAX_SCARCE);
    for (const reservation of shelf.allReservations) this.remember(reservation);
  }

  private remember({ status, ...reservation }: Reservation): void {
    this.open.delete(reservation.id);
    if (status !== 'open') return;
    if (this.open.size >= MAX_OPEN) this.open.delete(oldestOf(this.open.keys()));
    this.open.set(reservation.id, reservation);
  }
}

function add(set: Set<string>, item: string, max: number): void {
  if (set.size >= max && !set.has(item)) set.delete(oldestOf(set.keys()));
  set.add(item);
}

const oldestOf = <T>(items: Iterator<T>): T => items.next().value as T;
