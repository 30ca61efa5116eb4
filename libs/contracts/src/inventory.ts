/** The commands that the inventory service takes. */
import { defineCommand } from '@shop/messaging';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsOptional,
  IsUUID,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { CUSTOMER_HASH } from './customer';
import { MAX_LINES, MAX_QUANTITY, SKU, TENANT } from './limits';

export class StockLine {
  @Matches(SKU)
  sku: string;

  @IsInt()
  @Min(1)
  @Max(MAX_QUANTITY)
  quantity: number;
}

export class ReservationBody {
  @Matches(TENANT)
  tenant: string;

  @IsUUID()
  reservationId: string;
}

export class ReserveStockBody extends ReservationBody {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  @Type(() => StockLine)
  lines: StockLine[];

  /** The reservation that the client had made before, and that this one takes over. */
  @IsOptional()
  @IsUUID()
  takes?: string;

  /** `customerHash` of who gets the pieces. */
  @IsOptional()
  @Matches(CUSTOMER_HASH)
  customer?: string;
}

const service = 'inventory';

/**
 * Reserves all lines or none; refused `out_of_stock` or `limit_reached`. With `takes`, refused `reservation_expired`,
 * `reservation_used` or `reservation_mismatch`.
 */
export const ReserveStock = defineCommand({ service, name: 'reserve-stock', version: 1, body: ReserveStockBody });
/** Undoes ReserveStock. */
export const ReleaseStock = defineCommand({ service, name: 'release-stock', version: 1, body: ReservationBody });
/** Takes the reserved pieces out of stock for good; refused `reservation_expired` when they are no longer held. */
export const ConfirmReservation = defineCommand({
  service,
  name: 'confirm-reservation',
  version: 1,
  body: ReservationBody,
});
/** Puts the pieces of a confirmed reservation back. */
export const RestockReservation = defineCommand({
  service,
  name: 'restock-reservation',
  version: 1,
  body: ReservationBody,
});
