/** The decisions about stock and reservations: plain values in, plain values out, in arrival order. */

export interface StockLine {
  sku: string;
  quantity: number;
}

export interface Stock {
  tenant: string;
  sku: string;
  onHand: number;
  reserved: number;
  version: number;
}

export type ReservationStatus = 'open' | 'confirmed' | 'released' | 'restocked';

export interface Reservation {
  id: string;
  tenant: string;
  lines: StockLine[];
  status: ReservationStatus;
}

export interface Movement {
  tenant: string;
  sku: string;
  delta: number;
  reason: 'sold' | 'returned';
  cause: string;
}

/** The locked rows of one batch, and the changes of the batch to them. */
export class Warehouse {
  readonly changedStock = new Set<Stock>();
  readonly changedReservations = new Set<Reservation>();
  readonly newReservations = new Set<Reservation>();
  readonly movements: Movement[] = [];
  private readonly stock: Map<string, Stock>;
  private readonly reservations: Map<string, Reservation>;

  constructor(stock: readonly Stock[], reservations: readonly Reservation[]) {
    this.stock = new Map(stock.map((row) => [stockKey(row.tenant, row.sku), row]));
    this.reservations = new Map(reservations.map((row) => [row.id, row]));
  }

  /**
   * Reserves all lines or none. A reservation is made once, even if the ledger has forgotten the command that made it.
   */
  reserve(tenant: string, id: string, lines: readonly StockLine[]): 'reserved' | 'out_of_stock' | 'undone' {
    const made = this.find(tenant, id);
    if (made) return made.status === 'released' ? 'undone' : 'reserved';
    const wanted = merged(lines);
    const rows = wanted.map(({ sku }) => this.stock.get(stockKey(tenant, sku)));
    const enough = rows.every((row, index) => row && row.onHand - row.reserved >= wanted[index]!.quantity);
    if (!enough) return 'out_of_stock';
    wanted.forEach(({ quantity }, index) => this.change(rows[index]!, { reserved: quantity }));
    const reservation: Reservation = { id, tenant, lines: wanted, status: 'open' };
    this.reservations.set(id, reservation);
    this.newReservations.add(reservation);
    return 'reserved';
  }

  /** Does nothing if the reservation never existed, or is no longer open. */
  release(tenant: string, id: string): 'released' | 'nothing_held' {
    const reservation = this.find(tenant, id);
    if (reservation?.status !== 'open') return 'nothing_held';
    for (const { sku, quantity } of reservation.lines)
      this.change(this.rowOf(reservation, sku), { reserved: -quantity });
    this.move(reservation, 'released');
    return 'released';
  }

  /** The pieces leave for good. */
  confirm(tenant: string, id: string): 'confirmed' | 'reservation_expired' {
    const reservation = this.find(tenant, id);
    if (reservation?.status === 'confirmed') return 'confirmed';
    if (reservation?.status !== 'open') return 'reservation_expired';
    for (const { sku, quantity } of reservation.lines) {
      this.change(this.rowOf(reservation, sku), { onHand: -quantity, reserved: -quantity });
      this.movements.push({ tenant: reservation.tenant, sku, delta: -quantity, reason: 'sold', cause: id });
    }
    this.move(reservation, 'confirmed');
    return 'confirmed';
  }

  /** The pieces of a confirmed reservation come back. */
  restock(tenant: string, id: string): 'restocked' | 'nothing_sold' {
    const reservation = this.find(tenant, id);
    if (reservation?.status !== 'confirmed') return 'nothing_sold';
    for (const { sku, quantity } of reservation.lines) {
      this.change(this.rowOf(reservation, sku), { onHand: quantity });
      this.movements.push({ tenant: reservation.tenant, sku, delta: quantity, reason: 'returned', cause: id });
    }
    this.move(reservation, 'restocked');
    return 'restocked';
  }

  /** A reservation of another tenant counts as missing. */
  private find(tenant: string, id: string): Reservation | undefined {
    const reservation = this.reservations.get(id);
    return reservation?.tenant === tenant ? reservation : undefined;
  }

  /** The pieces are reserved, so there is a row. */
  private rowOf({ tenant }: Reservation, sku: string): Stock {
    const row = this.stock.get(stockKey(tenant, sku));
    if (!row) throw new Error(`the stock row of a reserved SKU is missing: ${sku}`);
    return row;
  }

  private change(row: Stock, { onHand = 0, reserved = 0 }: Partial<Pick<Stock, 'onHand' | 'reserved'>>): void {
    row.onHand += onHand;
    row.reserved += reserved;
    this.changedStock.add(row);
  }

  private move(reservation: Reservation, status: ReservationStatus): void {
    reservation.status = status;
    if (!this.newReservations.has(reservation)) this.changedReservations.add(reservation);
  }
}

const stockKey = (tenant: string, sku: string): string => `${tenant}\n${sku}`;

/** Makes one line of two lines with the same SKU. */
function merged(lines: readonly StockLine[]): StockLine[] {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
}
