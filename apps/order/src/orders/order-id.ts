/** The id of an order as a part of a path, and whose orders a caller can name with one. */
import { ApiParam } from '@nestjs/swagger';
import { type Caller, reachOf } from '@shop/http';
import { Problem } from '@shop/problem';
import { isUUID } from 'class-validator';
import type { OrderKey } from './orders.repository';

export const ApiOrderId = (): MethodDecorator =>
  ApiParam({ name: 'id', format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' });

/** An id that is not a UUID names no order. */
export function keyFor(caller: Caller, id: string): OrderKey {
  if (!isUUID(id)) throw new Problem(404, 'order_not_found', 'an order id is a UUID');
  return { ...reachOf(caller), id: id.toLowerCase() };
}
