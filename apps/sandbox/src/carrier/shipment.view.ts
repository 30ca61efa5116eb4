/** What the carrier answers. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type Shipment, shipmentStatuses, type ShipmentStatus } from './shipment';
import { parcelServices } from './shipment-request';

@ApiSchema({ name: 'Shipment', description: 'A parcel at the carrier, as it is now.' })
export class ShipmentView {
  @ApiProperty({ example: 'shp_3f0c9d' })
  id: string;

  @ApiProperty({ example: 'dlv_u0cvXt9NcH0r3cRGqAAAJ2fB' })
  reference: string;

  @ApiProperty({ enum: shipmentStatuses, example: 'accepted' })
  status: ShipmentStatus;

  @ApiProperty({ enum: parcelServices, example: 'home' })
  service: Shipment['service'];

  @ApiProperty({ example: 'SBX0000000017' })
  trackingNumber: string;

  @ApiProperty({
    description: 'where the label is',
    example: 'http://127.0.0.1:3009/carrier/v1/shipments/shp_3f0c9d/label',
  })
  labelUrl: string;
}

/** @param origin where this process is found */
export function shipmentJson(
  { id, reference, status, service, trackingNumber }: Shipment,
  origin: string,
): ShipmentView {
  return { id, reference, status, service, trackingNumber, labelUrl: `${origin}/carrier/v1/shipments/${id}/label` };
}

@ApiSchema({ name: 'ShipmentList', description: 'Of one reference there is one at most.' })
export class ShipmentListView {
  @ApiProperty({ type: [ShipmentView] })
  items: ShipmentView[];
}

@ApiSchema({ name: 'Shipments', description: 'Every parcel that the carrier has taken, oldest first.' })
export class ShipmentsView {
  @ApiProperty({ type: [ShipmentView] })
  shipments: ShipmentView[];
}
