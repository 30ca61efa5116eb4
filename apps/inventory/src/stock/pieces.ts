/** The pieces of locked rows of stock, and the changes of one batch to them: in each row, and at the places of its SKU. */
import { type Allocate, fromFewPlaces } from './allocation';
import {
  freeOf,
  isFillable,
  MAIN,
  type Movement,
  type Piece,
  type Stock,
  type StockLine,
  type StockPlace,
} from './stock';

export interface OwnedSku {
  tenant: string;
  sku: string;
}

export class Pieces {
  readonly changedStock = new Set<Stock>();
  readonly changedPlaces = new Set<StockPlace>();
  readonly movements: Movement[] = [];
  private readonly stock: Map<string, Stock>;
  private readonly places = new Map<string, StockPlace[]>();

  constructor(
    stock: readonly Stock[],
    places: readonly StockPlace[],
    private readonly allocate: Allocate = fromFewPlaces,
  ) {
    this.stock = new Map(stock.map((row) => [keyOf(row), row]));
    for (const place of places) this.placesOf(place).push(place);
  }

  find(tenant: string, sku: string): Stock | undefined {
    return this.stock.get(keyOf({ tenant, sku }));
  }

  /** Changed SKUs for which somebody waits, and of which pieces have come. */
  get fillable(): OwnedSku[] {
    return [...this.changedStock].filter(isFillable).map(({ tenant, sku }) => ({ tenant, sku }));
  }

  /** Reserves so many pieces: those that are free now, and the rest when they come. */
  reserve(tenant: string, { sku, quantity }: StockLine): { pieces: Piece[]; awaited: number } {
    const stock = this.rowOf(tenant, sku);
    const free = Math.min(quantity, freeOf(stock));
    const pieces = this.allocated(stock, free);
    for (const piece of pieces) this.change(tenant, piece, { reserved: piece.quantity });
    const awaited = quantity - free;
    if (awaited > 0) this.wait(stock, awaited);
    return { pieces, awaited };
  }

  /** The held piece is free again. */
  free(tenant: string, piece: Piece): void {
    this.change(tenant, piece, { reserved: -piece.quantity });
  }

  /** The held piece leaves for good. */
  sell(tenant: string, piece: Piece, cause: string): void {
    this.change(tenant, piece, { onHand: -piece.quantity, reserved: -piece.quantity });
    this.tell(tenant, piece, { delta: -piece.quantity, reason: 'sold', cause });
  }

  /** The sold piece comes back. */
  takeBack(tenant: string, piece: Piece, cause: string): void {
    this.change(tenant, piece, { onHand: piece.quantity });
    this.tell(tenant, piece, { delta: piece.quantity, reason: 'returned', cause });
  }

  /** Nobody waits for these any more. */
  giveUp(tenant: string, { sku, quantity }: StockLine): void {
    this.wait(this.rowOf(tenant, sku), -quantity);
  }

  /** Up to so many pieces that were awaited and have come. From now on they are held. */
  arrived(tenant: string, { sku, quantity }: StockLine): Piece[] {
    const stock = this.rowOf(tenant, sku);
    const come = Math.min(quantity, stock.onHand - (stock.reserved - stock.awaited));
    if (come <= 0) return [];
    const pieces = this.allocated(stock, come);
    this.wait(stock, -come);
    for (const piece of pieces) this.change(tenant, piece, { reserved: piece.quantity });
    return pieces;
  }

  private allocated(stock: Stock, quantity: number): Piece[] {
    if (quantity === 0) return [];
    const { sku, located } = stock;
    if (!located) return [{ sku, quantity }];
    const portions = this.allocate(this.placesOf(stock), quantity);
    const found = portions.reduce((sum, portion) => sum + portion.quantity, 0);
    if (found !== quantity) throw new Error(`${found} pieces were found for ${quantity} of ${sku}`);
    return portions.map((portion) => ({ sku, ...portion }));
  }

  private wait(stock: Stock, quantity: number): void {
    stock.reserved += quantity;
    stock.awaited += quantity;
    this.changedStock.add(stock);
  }

  private change(
    tenant: string,
    piece: Piece,
    { onHand = 0, reserved = 0 }: { onHand?: number; reserved?: number },
  ): void {
    const stock = this.rowOf(tenant, piece.sku);
    stock.onHand += onHand;
    stock.reserved += reserved;
    this.changedStock.add(stock);
    const place = this.placeOf(stock, piece);
    if (!place) return;
    place.onHand += onHand;
    place.reserved += reserved;
    this.changedPlaces.add(place);
  }

  private tell(
    tenant: string,
    piece: Piece,
    { delta, reason, cause }: Pick<Movement, 'delta' | 'reason' | 'cause'>,
  ): void {
    const place = this.placeOf(this.rowOf(tenant, piece.sku), piece)?.place;
    this.movements.push({ tenant, sku: piece.sku, delta, reason, cause, place });
  }

  /** A piece that was reserved before its SKU had places is at `main`. */
  private placeOf(stock: Stock, { place: name = MAIN }: Piece): StockPlace | undefined {
    if (!stock.located) return undefined;
    const place = this.placesOf(stock).find((one) => one.place === name);
    if (!place) throw new Error(`the place of a reserved piece is missing: ${stock.sku} at ${name}`);
    return place;
  }

  private placesOf(sku: OwnedSku): StockPlace[] {
    const key = keyOf(sku);
    const places = this.places.get(key) ?? [];
    this.places.set(key, places);
    return places;
  }

  /** The pieces are reserved, so there is a row. */
  private rowOf(tenant: string, sku: string): Stock {
    const row = this.find(tenant, sku);
    if (!row) throw new Error(`the stock row of a reserved SKU is missing: ${sku}`);
    return row;
  }
}

const keyOf = ({ tenant, sku }: OwnedSku): string => `${tenant}\n${sku}`;
