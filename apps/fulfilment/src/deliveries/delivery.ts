/**
 * A delivery: where it stands, and what moves it. Pure.
 *
 * An order that is confirmed gives a delivery that is `waiting`. Whoever works on it makes it `handing_over` before the
 * carrier is asked. From then on the carrier may have the parcel (`asked`), until an answer, a look-up or a webhook tells:
 * `handed_over`, or `parked` when the carrier refuses it. What the carrier shows is a fact, whoever has heard of it and in
 * whatever order, so a shipment moves a delivery only forward: `handed_over`, then `delivered`.
 *
 * A stop that comes before the carrier was asked ends it as `stopped`. Behind that it is `stopWanted`: nobody hands it over
 * any more, and the stop finds out what the carrier has. Nothing: `stopped`. Something that it brings back: `recalled`. What
 * it does not bring back goes on, and the stop is refused. A request that was under way may arrive behind the stop: what
 * the carrier then shows is recalled too, and where that is too late, a person is told.
 *
 * `elsewhere` is an order of before this service: somebody else has delivered it.
 */
import { hash } from 'node:crypto';

export const deliveryStatuses = [
  'waiting',
  'handing_over',
  'handed_over',
  'delivered',
  'stopped',
  'recalled',
  'parked',
  'elsewhere',
] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** `pick-up`: the customer fetches it at the carrier's place, because no address is known. */
export const deliveryServices = ['home', 'pick-up'] as const;
export type DeliveryService = (typeof deliveryServices)[number];

export interface DeliveryLine {
  sku: string;
  quantity: number;
}

export interface DeliveryKey {
  tenant: string;
  id: string;
}

/** Everything that decides what moves. */
export interface Standing {
  status: DeliveryStatus;
  /** The carrier was asked to take it, or is being asked. */
  asked: boolean;
  /** Its order is cancelled, and the stop has to find out what the carrier has. */
  stopWanted: boolean;
}

export const shipmentStatuses = ['accepted', 'in_transit', 'delivered', 'recalled'] as const;
/** As the carrier shows it. */
export type ShipmentStatus = (typeof shipmentStatuses)[number];

/** What has become known about a delivery that the carrier may have. */
export type Finding =
  | { kind: 'seen'; status: ShipmentStatus }
  /** The carrier has it, and does not bring it back. */
  | { kind: 'kept'; status: ShipmentStatus }
  /** The carrier has none under its name, and nobody is asking it to take one. */
  | { kind: 'absent' }
  /** The carrier has said that it does not take it. */
  | { kind: 'refused' };

export type Told = 'handed-over' | 'delivered';
/** What a person has to look at. */
export type Alarm = 'on_its_way_after_stop' | 'recalled_unasked' | 'lost_by_carrier' | 'delivered_after_recall';

export interface Move {
  standing: Standing;
  /** The events that others hear, in order. */
  tells: readonly Told[];
  alarm?: Alarm;
}

/** Enough characters of a hash that two ids are never equal. */
const ID_LENGTH = 27;

/** Follows from the order, so that the delivery of an order is one, and is found without a look at the table. */
export function deliveryIdOf({ tenant, orderId }: { tenant: string; orderId: string }): string {
  return `dlv_${hash('sha256', `delivery\n${tenant}\n${orderId}`, 'base64url').slice(0, ID_LENGTH)}`;
}

/** The same finding again moves nothing. */
export function move(standing: Standing, finding: Finding): Move {
  switch (finding.kind) {
    case 'seen':
      return finding.status === 'recalled' ? broughtBack(standing) : shown(standing, finding.status);
    case 'kept':
      return kept(standing, finding.status);
    case 'absent':
      return absent(standing);
    case 'refused':
      return standing.status === 'handing_over' ? to(standing, 'parked') : stay(standing);
  }
}

export type StopDecision = 'record' | 'stopped' | 'nothing-to-stop' | 'already-shipped' | 'ask-carrier';

/** What a stop does with a delivery; `record`: with an order of which nothing is known yet. */
export function decideStop(standing: Standing | undefined): StopDecision {
  switch (standing?.status) {
    case undefined:
      return 'record';
    case 'waiting':
      return standing.asked ? 'ask-carrier' : 'stopped';
    case 'stopped':
    case 'recalled':
    case 'elsewhere':
      return 'nothing-to-stop';
    case 'delivered':
      return 'already-shipped';
    case 'handing_over':
    case 'handed_over':
    case 'parked':
      return 'ask-carrier';
  }
}

/** Whether a shipment that the carrier shows has to be recalled, although no stop is under way. */
export const isStray = ({ status }: Standing, shipment: ShipmentStatus): boolean =>
  status === 'stopped' && shipment !== 'recalled';

const isOpen = (status: DeliveryStatus): boolean =>
  status === 'waiting' || status === 'handing_over' || status === 'parked';

function shown(standing: Standing, shipment: Exclude<ShipmentStatus, 'recalled'>): Move {
  const { status } = standing;
  const isDelivered = shipment === 'delivered';
  if (isOpen(status)) {
    return isDelivered
      ? to(standing, 'delivered', { tells: ['handed-over', 'delivered'] })
      : to(standing, 'handed_over', { tells: ['handed-over'] });
  }
  if (status === 'handed_over' && isDelivered) return to(standing, 'delivered', { tells: ['delivered'] });
  // One that is not there yet is recalled next.
  if (status === 'stopped' && isDelivered) return strayed(standing, 'delivered');
  if (status === 'recalled' && isDelivered) return stay(standing, 'delivered_after_recall');
  return stay(standing);
}

function kept(standing: Standing, shipment: ShipmentStatus): Move {
  if (shipment === 'recalled') return broughtBack(standing);
  if (standing.status === 'stopped') return strayed(standing, shipment === 'delivered' ? 'delivered' : 'handed_over');
  const moved = shown(standing, shipment);
  return { ...moved, standing: { ...moved.standing, stopWanted: false } };
}

/** It reaches the customer although its order is cancelled. That is told as it is. */
function strayed(standing: Standing, status: 'handed_over' | 'delivered'): Move {
  const tells: Told[] = status === 'delivered' ? ['handed-over', 'delivered'] : ['handed-over'];
  return to(standing, status, { tells, alarm: 'on_its_way_after_stop' });
}

function broughtBack(standing: Standing): Move {
  const { status, stopWanted } = standing;
  if (status === 'delivered' || status === 'recalled' || status === 'elsewhere') return stay(standing);
  const isAsked = stopWanted || status === 'stopped';
  return to(standing, 'recalled', isAsked ? {} : { alarm: 'recalled_unasked' });
}

function absent(standing: Standing): Move {
  const { status, stopWanted } = standing;
  if (stopWanted && isOpen(status)) return to(standing, 'stopped');
  if (status !== 'handed_over') return stay(standing);
  return stopWanted ? to(standing, 'stopped', { alarm: 'lost_by_carrier' }) : stay(standing, 'lost_by_carrier');
}

/** Whatever it comes to, a shipment that is known was asked for, and an end needs no stop any more. */
function to(
  standing: Standing,
  status: DeliveryStatus,
  { tells = [], alarm }: { tells?: readonly Told[]; alarm?: Alarm } = {},
): Move {
  const stopWanted = standing.stopWanted && (isOpen(status) || status === 'handed_over');
  return { standing: { status, asked: true, stopWanted }, tells, alarm };
}

const stay = (standing: Standing, alarm?: Alarm): Move => ({ standing, tells: [], alarm });
