/** The tables of stock as values, for tests of decisions: it gives a shelf of all rows, and keeps what a batch changes. */
import type { QueueEntry } from '../src/stock/backorders';
import type { Holding } from '../src/stock/holdings';
import type { Reservation } from '../src/stock/reservation';
import { Shelf } from '../src/stock/shelf';
import type { Movement, Stock, StockPlace } from '../src/stock/stock';

export class ShelfStore {
  readonly stock: Map<string, Stock>;
  readonly reservations = new Map<string, Reservation>();
  readonly movements: Movement[] = [];
  places: StockPlace[];
  queue: QueueEntry[] = [];
  private readonly held = new Map<string, Holding>();
  private position = 0;

  /** All rows are of one tenant. */
  constructor(stock: readonly Stock[], places: readonly StockPlace[] = []) {
    this.stock = new Map(stock.map((row) => [row.sku, row]));
    this.places = [...places];
  }

  get holdings(): Holding[] {
    return [...this.held.values()];
  }

  take(): Shelf {
    const { stock, reservations, places, holdings } = this;
    const rows = { stock: [...stock.values()], reservations: [...reservations.values()], places, holdings };
    return new Shelf(structuredClone(rows));
  }

  queueOf(sku: string): QueueEntry[] {
    return this.queue.filter((entry) => entry.sku === sku);
  }

  /** In the order of the statements of `saveShelf`. */
  keep(shelf: Shelf): void {
    const { pieces, holdings } = shelf;
    for (const row of shelf.newReservations) {
      if (this.reservations.has(row.id)) throw new Error('two reservations with one id');
      this.reservations.set(row.id, row);
    }
    for (const row of shelf.changedReservations) this.reservations.set(row.id, row);
    for (const row of pieces.changedStock) this.stock.set(row.sku, row);
    this.movements.push(...pieces.movements);
    this.keepQueue(shelf);
    for (const changed of pieces.changedPlaces)
      this.places = this.places.map((row) => (row.sku === changed.sku && row.place === changed.place ? changed : row));
    for (const { quantity, ...key } of holdings.changes) {
      const name = `${key.sku} ${key.customer}`;
      this.held.set(name, { ...key, quantity: (this.held.get(name)?.quantity ?? 0) + quantity });
    }
  }

  private keepQueue({ backorders: { joined, handedOver, filled, left } }: Shelf): void {
    for (const entry of joined) this.queue.push({ ...entry, position: ++this.position });
    for (const { reservationId, to } of handedOver)
      this.queue = this.queue.map((one) => (one.reservationId === reservationId ? { ...one, reservationId: to } : one));
    for (const { position, left: rest } of filled)
      this.queue = this.queue.map((one) => (one.position === position ? { ...one, quantity: rest } : one));
    this.queue = this.queue.filter(
      (one) => one.quantity > 0 && left.every((key) => key.reservationId !== one.reservationId),
    );
  }
}
