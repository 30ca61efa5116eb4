/**
 * The queues of reservations that wait for pieces, and the changes of one batch to them. Who comes first gets pieces
 * first; who comes later gets none while somebody waits.
 */

export interface NewEntry {
  tenant: string;
  sku: string;
  reservationId: string;
  quantity: number;
}

/** An entry of the queue of a SKU. */
export interface QueueEntry extends NewEntry {
  position: number;
}

export interface FilledEntry extends Pick<QueueEntry, 'tenant' | 'sku' | 'position'> {
  /** What it still waits for. With 0 it leaves the queue. */
  left: number;
}

interface ReservationKey {
  tenant: string;
  reservationId: string;
}

/** What has changed, to be saved in this order: who joined may have been taken over meanwhile, or have left. */
export class Backorders {
  /** In the order in which they came. */
  readonly joined: NewEntry[] = [];
  /** The entries of a reservation that another one has taken over keep their positions. */
  readonly handedOver: (ReservationKey & { to: string })[] = [];
  readonly filled: FilledEntry[] = [];
  /** All entries of these reservations leave. */
  readonly left: ReservationKey[] = [];
}
