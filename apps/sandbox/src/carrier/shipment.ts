/** A parcel at the carrier, and what can happen to it. Pure. */
import type { ShipmentRequest } from './shipment-request';

export const shipmentStatuses = ['accepted', 'in_transit', 'delivered', 'recalled'] as const;
export type ShipmentStatus = (typeof shipmentStatuses)[number];

export interface Shipment extends ShipmentRequest {
  id: string;
  status: ShipmentStatus;
  trackingNumber: string;
  /** When it was taken, in milliseconds. */
  atMs: number;
}

/** The country that this carrier does not go to. */
const FAR_AWAY = 'AQ';

/** Why a parcel is not taken. */
export function objectionTo({ service, recipient }: ShipmentRequest): 'address_missing' | 'not_served' | undefined {
  if (service === 'home' && !recipient) return 'address_missing';
  return recipient?.address.country === FAR_AWAY ? 'not_served' : undefined;
}

/** The shipment behind this; undefined when it cannot happen to it any more. One that has happened stays as it is. */
export function moved(shipment: Shipment, status: Exclude<ShipmentStatus, 'accepted'>): Shipment | undefined {
  if (shipment.status === status) return shipment;
  const isOver = shipment.status === 'delivered' || shipment.status === 'recalled';
  return isOver ? undefined : { ...shipment, status };
}

const NUMBER_DIGITS = 10;
export const trackingNumberOf = (count: number): string => `SBX${String(count).padStart(NUMBER_DIGITS, '0')}`;
