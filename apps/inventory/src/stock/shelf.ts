/** The decisions about stock and reservations: plain values in, plain values out, in arrival order. */
import type { Allocate } from './allocation';
import { Backorders, type QueueEntry } from './backorders';
import { piecesOf } from './bundles';
import { type Holding, Holdings } from './holdings';
import { type OwnedSku, Pieces } from './pieces';
import type { ReachedLimit, Reservation, ReservationStatus, Reserved, Shortage, TakenOver, Wish } from './reservation';
import { freeOf, merged, orderableOf, type Piece, type Stock, type StockLine, type StockPlace } from './stock';

/** The locked rows of one batch, and what they guard. */
export interface LockedRows {
  stock: readonly Stock[];
  reservations: readonly Reservation[];
  /** Of all SKUs that have places. */
  places?: readonly StockPlace[];
  /** Of the customers for whom something may be reserved, of all SKUs with a limit. */
  holdings?: readonly Holding[];
}

/** The locked rows of one batch, and the changes of the batch to them. */
export class Shelf {
  readonly changedReservations = new Set<Reservation>();
  readonly newReservations = new Set<Reservation>();
  readonly pieces: Pieces;
  readonly holdings: Holdings;
  readonly backorders = new Backorders();
  private readonly reservations: Map<string, Reservation>;

  constructor({ stock, reservations, places = [], holdings = [] }: LockedRows, allocate?: Allocate) {
    this.pieces = new Pieces(stock, places, allocate);
    this.holdings = new Holdings(holdings);
    this.reservations = new Map(reservations.map((row) => [keyOf(row.tenant, row.id), row]));
  }

  /** A reservation of another tenant counts as missing. */
  find(tenant: string, id: string): Reservation | undefined {
    return this.reservations.get(keyOf(tenant, id));
  }

  /** SKUs whose queue has to be looked at, because pieces have come for those who wait; see `fill`. */
  get fillable(): OwnedSku[] {
    return this.pieces.fillable;
  }

  /** Reserves all lines or none. The caller has seen that there is no reservation with this id. */
  reserve(wish: Wish): Reserved {
    const { tenant, id, customer } = wish;
    const lines = merged(wish.lines);
    const wanted = piecesOf(lines, (sku) => this.pieces.find(tenant, sku)?.components ?? null);
    const short = wanted.flatMap((line) => this.shortageOf(tenant, line));
    if (short.length > 0) return { outcome: 'out_of_stock', short };
    const counted = this.limitedOf(tenant, lines, wanted);
    if (counted.length > 0 && customer === undefined)
      return { outcome: 'customer_required', skus: counted.map(({ sku }) => sku) };
    const limits = counted.flatMap((line) => this.reachedLimitOf(tenant, customer!, line));
    if (limits.length > 0) return { outcome: 'limit_reached', limits };
    const pieces: Piece[] = [];
    const awaited: StockLine[] = [];
    for (const line of wanted) {
      const got = this.pieces.reserve(tenant, line);
      pieces.push(...got.pieces);
      if (got.awaited === 0) continue;
      awaited.push({ sku: line.sku, quantity: got.awaited });
      this.backorders.joined.push({ tenant, sku: line.sku, reservationId: id, quantity: got.awaited });
    }
    for (const { sku, quantity } of counted) this.holdings.add({ tenant, sku, customer: customer!, quantity });
    // Who gets the pieces of an order is nobody's business here, unless there is a limit.
    const isNamed = counted.length > 0 || wish.placedBy !== undefined;
    const made = { ...wish, customer: isNamed ? customer : undefined, lines, pieces, awaited, counted };
    return { outcome: 'reserved', reservation: this.add(made) };
  }

  /**
   * Gives what the reservation `from` holds and waits for to a new one, so that nobody can come between. It may be late
   * for that, as long as `from` has not expired yet: the row decides. The caller has seen that there is no reservation
   * with the id of the wish.
   */
  takeOver(wish: Wish, from: string): TakenOver {
    const { tenant, id, customer } = wish;
    const old = this.find(tenant, from);
    if (!old) return 'reservation_expired';
    if (old.placedBy === undefined) return 'reservation_mismatch';
    if (old.status === 'released' || old.status === 'expired') return 'reservation_expired';
    if (old.status !== 'open') return 'reservation_used';
    const lines = merged(wish.lines);
    // One that was made for nobody in particular may become anybody's.
    const isForOther = old.customer !== undefined && old.customer !== customer;
    if (isForOther || !areSame(lines, old.lines)) return 'reservation_mismatch';
    const { pieces, awaited, counted } = old;
    old.takenBy = id;
    this.move(old, 'taken');
    if (awaited.length > 0) this.backorders.handedOver.push({ tenant, reservationId: from, to: id });
    this.add({ ...wish, customer: old.customer, lines, pieces, awaited, counted });
    return 'reserved';
  }

  /** Does nothing if the reservation never existed, or is no longer open. */
  release(tenant: string, id: string): 'released' | 'nothing_held' {
    return this.giveBack(tenant, id, 'released') ? 'released' : 'nothing_held';
  }

  /** The same, because its time is over. The caller knows that it is. */
  expire(tenant: string, id: string): 'expired' | 'nothing_held' {
    return this.giveBack(tenant, id, 'expired') ? 'expired' : 'nothing_held';
  }

  /** The pieces leave for good. Those that are awaited leave when they come. */
  confirm(tenant: string, id: string): 'confirmed' | 'reservation_expired' {
    const reservation = this.find(tenant, id);
    if (reservation?.status === 'confirmed') return 'confirmed';
    if (reservation?.status !== 'open') return 'reservation_expired';
    for (const piece of reservation.pieces) this.pieces.sell(tenant, piece, id);
    this.move(reservation, 'confirmed');
    return 'confirmed';
  }

  /** The pieces of a confirmed reservation come back. */
  restock(tenant: string, id: string): 'restocked' | 'nothing_sold' {
    const reservation = this.find(tenant, id);
    if (reservation?.status !== 'confirmed') return 'nothing_sold';
    for (const piece of reservation.pieces) this.pieces.takeBack(tenant, piece, id);
    this.letGo(reservation);
    this.move(reservation, 'restocked');
    return 'restocked';
  }

  /**
   * Gives pieces that have come to those who wait, in their order. Of a reservation that is confirmed they leave at once.
   * It stops at the first one that gets nothing, or whose reservation is not locked here.
   * @param queue entries of one SKU from the front on
   */
  fill(queue: readonly QueueEntry[]): void {
    for (const entry of queue) {
      const { tenant, sku, reservationId, quantity } = entry;
      const reservation = this.find(tenant, reservationId);
      if (!reservation) return;
      if (reservation.status !== 'open' && reservation.status !== 'confirmed')
        throw new Error(`a reservation that is ${reservation.status} waits for pieces: ${reservationId}`);
      const pieces = this.pieces.arrived(tenant, { sku, quantity });
      const given = pieces.reduce((sum, piece) => sum + piece.quantity, 0);
      if (given === 0) return;
      if (reservation.status === 'confirmed')
        for (const piece of pieces) this.pieces.sell(tenant, piece, reservationId);
      reservation.pieces = joined([...reservation.pieces, ...pieces]);
      reservation.awaited = less(reservation.awaited, { sku, quantity: given });
      this.noteChange(reservation);
      this.backorders.filled.push({ tenant, sku, position: entry.position, left: quantity - given });
    }
  }

  private giveBack(tenant: string, id: string, status: 'released' | 'expired'): boolean {
    const reservation = this.find(tenant, id);
    if (reservation?.status !== 'open') return false;
    for (const piece of reservation.pieces) this.pieces.free(tenant, piece);
    this.letGo(reservation);
    this.move(reservation, status);
    return true;
  }

  /** It waits for nothing any more, and does not count for the limits of its customer. */
  private letGo(reservation: Reservation): void {
    const { tenant, id, awaited, counted, customer } = reservation;
    for (const line of awaited) this.pieces.giveUp(tenant, line);
    if (awaited.length > 0) this.backorders.left.push({ tenant, reservationId: id });
    reservation.awaited = [];
    if (customer === undefined) return;
    for (const { sku, quantity } of counted) this.holdings.add({ tenant, sku, customer, quantity: -quantity });
  }

  private shortageOf(tenant: string, { sku, quantity: requested }: StockLine): Shortage[] {
    const stock = this.pieces.find(tenant, sku);
    if (!stock || stock.components) return [{ sku, requested, available: 0 }];
    return requested <= orderableOf(stock) ? [] : [{ sku, requested, available: freeOf(stock) }];
  }

  /** A bundle may have a limit itself, and its components may have theirs. */
  private limitedOf(tenant: string, lines: readonly StockLine[], wanted: readonly StockLine[]): StockLine[] {
    const bundles = lines.filter(({ sku }) => this.pieces.find(tenant, sku)?.components);
    return [...wanted, ...bundles].filter(({ sku }) => this.pieces.find(tenant, sku)!.customerLimit !== null);
  }

  private reachedLimitOf(tenant: string, customer: string, { sku, quantity }: StockLine): ReachedLimit[] {
    const limit = this.pieces.find(tenant, sku)!.customerLimit!;
    const held = this.holdings.of({ tenant, sku, customer });
    return held + quantity <= limit ? [] : [{ sku, limit, held }];
  }

  private add(made: Omit<Reservation, 'status' | 'version'>): Reservation {
    const reservation: Reservation = { ...made, status: 'open', version: 1 };
    this.reservations.set(keyOf(reservation.tenant, reservation.id), reservation);
    this.newReservations.add(reservation);
    return reservation;
  }

  private move(reservation: Reservation, status: ReservationStatus): void {
    reservation.status = status;
    this.noteChange(reservation);
  }

  private noteChange(reservation: Reservation): void {
    if (!this.newReservations.has(reservation)) this.changedReservations.add(reservation);
  }
}

const keyOf = (tenant: string, id: string): string => `${tenant}\n${id}`;

const areSame = (one: readonly StockLine[], other: readonly StockLine[]): boolean =>
  one.length === other.length &&
  one.every((line) => other.some(({ sku, quantity }) => sku === line.sku && quantity === line.quantity));

/** Pieces of one SKU at one place are one entry, however often some of them came. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const same = result.find(({ sku, place }) => sku === piece.sku && place === piece.place);
    if (same) same.quantity += piece.quantity;
    else result.push({ ...piece });
  }
  return result;
}

const less = (lines: readonly StockLine[], { sku, quantity }: StockLine): StockLine[] =>
  lines
    .map((line) => (line.sku === sku ? { sku, quantity: line.quantity - quantity } : line))
    .filter((line) => line.quantity > 0);
