/** Gives the pieces of a SKU that have come to the reservations that wait for them, in one transaction. */
import type { Database, Tx } from '@shop/postgres';
import { readQueue } from '../stock/backorders.repository';
import type { OwnedSku } from '../stock/pieces';
import { loadShelf, saveShelf } from '../stock/shelf.repository';

/** The most reservations of one transaction, which locks the stock of all of them. */
const BATCH = 100;

/**
 * Fills up to one batch of the queue, and returns how many got pieces; 0: there is nothing to do for now.
 *
 * Reservations are locked before stock. So the front of the queue is read first without a lock, to know which ones they
 * are. Behind the lock of the stock it is read again, and is what it is: whoever left or came meanwhile is seen.
 */
export function fillQueue(database: Database, queue: OwnedSku): Promise<number> {
  return database.transaction((tx) => fill(tx, queue));
}

async function fill(tx: Tx, queue: OwnedSku): Promise<number> {
  const front = await readQueue(tx, queue, BATCH);
  if (front.length === 0) return 0;
  const ids = [...new Set(front.map(({ reservationId }) => reservationId))];
  const reservations = ids.map((id) => ({ tenant: queue.tenant, id }));
  const shelf = await loadShelf(tx, { reservations, skus: [] });
  shelf.fill(await readQueue(tx, queue, BATCH));
  saveShelf(tx, shelf);
  return shelf.backorders.filled.length;
}
