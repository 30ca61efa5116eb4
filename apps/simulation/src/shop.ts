/** What some runs have beside plain orders: reservations of clients, carts with promotions, and more kinds of stock. */

export interface Line {
  sku: string;
  quantity: number;
}

export interface Reserving {
  seconds: number;
  /** Chooses the id itself (PUT), so it may order before it knows whether anything is reserved. */
  namesIt: boolean;
  /** Gives it back, also when an order has it already, or orders other pieces than it has reserved. */
  twist?: 'gives it back' | 'orders other pieces';
}

export interface StockSettings {
  /** Pieces that may be promised before they have come. */
  backorderLimit: number;
  customerLimit?: number;
  /** Where its pieces are. Together they are its stock. */
  places?: Record<string, number>;
}

export interface Arrival {
  name: string;
  sku: string;
  quantity: number;
  place?: string;
}

export interface ScriptedPromotion {
  code: string;
  percent: number;
  maxUses: number;
  maxUsesPerCustomer?: number;
}

export interface ScriptedCart {
  id: string;
  /** The principal. */
  placedBy: string;
  customer: string;
  items: Line[];
  codes: string[];
}

export interface Shop {
  /** By SKU. A SKU without an entry has only pieces. */
  settings: Record<string, StockSettings>;
  /** The components of the SKU `set`. */
  bundle?: Line[];
  arrivals: Arrival[];
  promotions: ScriptedPromotion[];
  carts: ScriptedCart[];
  /** Inventory holds the pieces of an order for so long. */
  orderReservationSeconds: number;
}

/** The SKU that stands for others. */
export const BUNDLE = 'set';
