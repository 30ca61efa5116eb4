/** What the carrier's webhooks tell of a shipment. Pure. */
import { validate } from '@shop/validation';
import { Type } from 'class-transformer';
import { Matches, ValidateNested } from 'class-validator';
import type { Shipment } from './carrier';
import { SeenShipment, shipmentOf } from './http-carrier';

class EventData {
  @ValidateNested() @Type(() => SeenShipment) shipment: SeenShipment;
}

class SeenEvent {
  @Matches(/^[\w-]{1,100}$/) id: string;
  /** Such as `shipment.delivered`. What it means is told by the shipment as it was then. */
  @Matches(/^[a-z_.]{1,60}$/) type: string;
  @ValidateNested() @Type(() => EventData) data: EventData;
}

export interface CarrierEvent {
  id: string;
  type: string;
  shipment: Shipment;
}

/** Undefined for what is no event of a shipment. */
export function readCarrierEvent(content: unknown): CarrierEvent | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  const read = validate(SeenEvent, content, { unknownProperties: 'drop' });
  if (!read.ok || !read.value.data?.shipment) return undefined;
  const { id, type, data } = read.value;
  return { id, type, shipment: shipmentOf(data.shipment) };
}
