/** The rows of stock that decisions work on, and what is free of them. */

export interface StockLine {
  sku: string;
  quantity: number;
}

/** So many pieces, and where they are if their SKU has places. */
export interface Piece extends StockLine {
  place?: string;
}

export interface Stock {
  tenant: string;
  sku: string;
  onHand: number;
  /** Held pieces, and those that are awaited. */
  reserved: number;
  /** Reserved pieces that have not been given to anybody yet, because they were not there. */
  awaited: number;
  /** How many pieces may be awaited. It may have become lower than what is awaited; then nobody else may wait. */
  backorderLimit: number;
  /** How many pieces one customer may have. */
  customerLimit: number | null;
  /** Of a bundle, which has no pieces of its own. */
  components: StockLine[] | null;
  /** It has places. */
  located: boolean;
  version: number;
}

/** The pieces of a SKU at one place. */
export interface StockPlace {
  tenant: string;
  sku: string;
  place: string;
  onHand: number;
  reserved: number;
}

/** A change of the number on hand, and why. */
export interface Movement {
  tenant: string;
  sku: string;
  delta: number;
  reason: string;
  cause: string;
  place?: string;
}

/** Where the pieces are that a SKU had before its first place. */
export const MAIN = 'main';

/** Pieces that a newcomer may have. What has come for those who wait is theirs, since they have reserved it. */
export const freeOf = ({ onHand, reserved }: Stock): number => Math.max(0, onHand - reserved);

/** Pieces that a newcomer may have or wait for. */
export const orderableOf = (stock: Stock): number => freeOf(stock) + Math.max(0, stock.backorderLimit - stock.awaited);

/** Pieces have come that nobody holds, and somebody waits for them. */
export const isFillable = ({ onHand, reserved, awaited }: Stock): boolean => awaited > 0 && onHand > reserved - awaited;

/** Makes one line of the lines with the same SKU. */
export function merged(lines: readonly StockLine[]): StockLine[] {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
}
