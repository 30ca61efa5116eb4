/** A reservation, what is asked for when it is made, and what is said then. */
import type { Piece, StockLine } from './stock';

/** `taken`: the reservation of an order has taken it over. */
export const reservationStatuses = ['open', 'confirmed', 'released', 'expired', 'taken', 'restocked'] as const;
export type ReservationStatus = (typeof reservationStatuses)[number];

export interface Reservation {
  tenant: string;
  id: string;
  /** What was asked for. */
  lines: StockLine[];
  status: ReservationStatus;
  /** What it holds, or has sold: components instead of bundles. */
  pieces: Piece[];
  /** What it still waits for. */
  awaited: StockLine[];
  /** What counts for the limits of its customer. */
  counted: StockLine[];
  expiresAt?: string;
  /** Instead of `expiresAt`, for one that is made without knowing the time. The database counts from its own now. */
  expiresInSeconds?: number;
  /** The principal that asked for it; absent when a saga did. */
  placedBy?: string;
  /** `customerHash` of who gets the pieces. */
  customer?: string;
  requestHash?: Buffer;
  /** The reservation that has taken it over. */
  takenBy?: string;
  version: number;
}

export type Wish = Pick<
  Reservation,
  'tenant' | 'id' | 'placedBy' | 'customer' | 'expiresAt' | 'expiresInSeconds' | 'requestHash'
> & { lines: readonly StockLine[] };

export interface Shortage {
  sku: string;
  requested: number;
  /** Pieces that are there and free; more may be on their way. */
  available: number;
}

export interface ReachedLimit {
  sku: string;
  limit: number;
  held: number;
}

export type Reserved =
  | { outcome: 'reserved'; reservation: Reservation }
  | { outcome: 'out_of_stock'; short: Shortage[] }
  | { outcome: 'limit_reached'; limits: ReachedLimit[] }
  /** One customer may have only so many of these, so it has to be said who gets them. */
  | { outcome: 'customer_required'; skus: string[] };

/** `reservation_expired`: it holds nothing any more, or never was. `reservation_used`: an order has its pieces. */
export type TakenOver = 'reserved' | 'reservation_expired' | 'reservation_used' | 'reservation_mismatch';
