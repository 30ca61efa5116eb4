/** What a carrier has to offer, whoever it is. */
import { TerminalError } from '@shop/resilience';
import type { DeliveryLine, DeliveryService, ShipmentStatus } from './delivery';

/** Where it is sent. It is read for the hand-over, and kept nowhere here. */
export interface Recipient {
  name: string;
  address: {
    line1: string;
    line2?: string;
    postalCode?: string;
    city: string;
    region?: string;
    country: string;
  };
}

export interface Parcel {
  /** Our name for it, which the carrier takes once. */
  reference: string;
  service: DeliveryService;
  /** Absent when it is fetched. */
  recipient?: Recipient;
  lines: readonly DeliveryLine[];
}

/** A parcel as the carrier shows it. */
export interface Shipment {
  /** The name that the carrier has given it. */
  id: string;
  reference: string;
  status: ShipmentStatus;
  trackingNumber?: string;
  labelUrl?: string;
}

/** Thrown when the carrier has judged the parcel and does not take it. Asked again, it would say the same. */
export class NotTakenError extends TerminalError {
  /** @param code of the carrier, or of us */
  constructor(readonly code: string) {
    super(`the carrier does not take it: ${code}`);
    this.name = 'NotTakenError';
  }
}

/** Each call may be made any number of times, with the same effect. @throws RetryableError when it is not answered */
export interface Carrier {
  /** @throws NotTakenError */
  handOver(parcel: Parcel, turn: string): Promise<Shipment>;
  /** The shipment of this reference, if the carrier has one. */
  find(reference: string, turn: string): Promise<Shipment | undefined>;
  /** `kept`: it does not bring the shipment back. */
  recall(
    shipment: Pick<Shipment, 'id' | 'reference'>,
    turn: string,
  ): Promise<{ outcome: 'recalled' | 'kept'; shipment: Shipment }>;
}

export const CARRIER = Symbol('CARRIER');
