/** What a client asks for when it reserves, whose reservations a caller can name, and the refusals. */
import { ApiParam, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { MAX_LINES, MAX_QUANTITY, SKU } from '@shop/contracts';
import { type Caller, reachOf } from '@shop/http';
import { Problem } from '@shop/problem';
import { IsText, validationFailed } from '@shop/validation';
import type { ReachedLimit, Shortage } from '../stock/reservation';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsInt,
  IsOptional,
  isUUID,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';

/** Long enough to type in an address and to pay. */
export const DEFAULT_TTL_SECONDS = 900;
/** What is held for longer than a day is an order. */
export const MAX_TTL_SECONDS = 86_400;
/** As long as in an order. */
const MAX_CUSTOMER_LENGTH = 100;

export class ReservationLineBody {
  @ApiProperty({ description: 'stock keeping unit; one of a bundle stands for its components', example: 'cup' })
  @Matches(SKU, { message: 'sku must be 1 to 64 of A-Z a-z 0-9 . _ -' })
  sku: string;

  @ApiProperty({ example: 2 })
  @IsInt()
  @Min(1)
  @Max(MAX_QUANTITY)
  quantity: number;
}

export class NewReservationBody {
  @ApiProperty({ type: [ReservationLineBody] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LINES)
  @ArrayUnique((line: ReservationLineBody) => line?.sku, { message: 'lines must name each sku once' })
  @ValidateNested({ each: true })
  @Type(() => ReservationLineBody)
  lines: ReservationLineBody[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_TTL_SECONDS,
    default: DEFAULT_TTL_SECONDS,
    description: 'how long the pieces are held',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TTL_SECONDS)
  ttlSeconds?: number;

  @ApiPropertyOptional({
    description:
      'for whom; needed where one customer may have only so many, and by an order of a customer that takes it over',
    example: 'alice',
  })
  @IsOptional()
  @IsText(MAX_CUSTOMER_LENGTH)
  customerId?: string;
}

export interface ReservationKey {
  tenant: string;
  id: string;
  /** When only a reservation of this principal is meant. */
  placedBy?: string;
}

export const ApiReservationId = (): MethodDecorator =>
  ApiParam({ name: 'id', format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' });

/** @throws Problem 404: what is not a UUID names no reservation */
export function keyFor(caller: Caller, id: string): ReservationKey {
  if (!isUUID(id)) throw reservationNotFound();
  return { ...reachOf(caller), id: id.toLowerCase() };
}

/** @throws Problem 400: a reservation can only be made under a UUID */
export function newKeyFor(caller: Caller, id: string): ReservationKey {
  if (!isUUID(id)) throw validationFailed([{ path: 'id', message: 'must be a UUID' }]);
  return keyFor(caller, id);
}

export const reservationNotFound = () =>
  new Problem(404, 'reservation_not_found', 'there is no reservation with this id');

export const reservationIdConflict = () =>
  new Problem(409, 'reservation_id_conflict', 'another reservation has this id');

export const reservationShort = (short: readonly Shortage[]) =>
  new Problem(409, 'insufficient_stock', 'there are not enough pieces; nothing was reserved', {
    extensions: { short },
  });

export const customerLimitReached = (limits: readonly ReachedLimit[]) =>
  new Problem(409, 'customer_limit_reached', 'one customer may have only so many pieces; nothing was reserved', {
    extensions: { limits },
  });

export const customerRequired = (skus: readonly string[]) =>
  new Problem(422, 'customer_required', 'one customer may have only so many pieces of a SKU, so name the customer', {
    extensions: { skus },
  });

export const reservationConfirmed = () =>
  new Problem(409, 'reservation_confirmed', 'its pieces are sold; cancel the order to bring them back');

export const reservationUsed = () =>
  new Problem(409, 'reservation_used', 'an order has taken it over; cancel the order instead');

export const reservationOfOrder = () =>
  new Problem(409, 'reservation_of_order', 'the saga of an order holds it; cancel the order instead');
