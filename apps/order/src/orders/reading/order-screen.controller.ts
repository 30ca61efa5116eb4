/** The page of one order in one answer: what this service knows, and what its neighbours know, as far as they answer. */
import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, OwnTurns, Roles } from '@shop/http';
import { ApiProblems } from '@shop/problem';
import type { Away } from '@shop/service';
import type { SeenDelivery, SeenInvoice, SeenPayment, SeenReservation } from '../../neighbours/answers';
import { Neighbours } from '../../neighbours/neighbours';
import type { Order } from '../order';
import { ApiOrderId, keyFor } from '../order-id';
import { orderJson } from '../order.view';
import { OrdersService } from '../orders.service';
import {
  deliveryJson,
  invoiceJson,
  OrderScreenView,
  paymentJson,
  reservationJson,
  type ScreenPart,
  screenParts,
} from './order-screen.view';
import { progressOf } from './progress';

@ApiTags('orders')
@Controller('orders/:id')
@Roles('customer', 'operator')
export class OrderScreenController {
  constructor(
    private readonly orders: OrdersService,
    private readonly neighbours: Neighbours,
  ) {}

  /** It waits for its neighbours, so it holds no turn for the database meanwhile. */
  @Get('view')
  @OwnTurns()
  @ApiOperation({
    operationId: 'getOrderScreen',
    summary:
      'The page of one order: the order, how far it is, and what its payment, reservation, delivery and invoice are',
    description:
      'Order and progress are always there and up to date. The other parts are asked of their services, for a few tenths ' +
      'of a second; what gives no answer by then is named in `degraded`, and the status is 200 all the same.',
  })
  @ApiOrderId()
  @ApiAnswer(200, OrderScreenView, { description: 'the order as it is now' })
  @ApiProblems({ 404: ['order_not_found'] })
  async view(@CallerOf() caller: Caller, @Param('id') id: string): Promise<OrderScreenView> {
    const key = keyFor(caller, id);
    // Before anybody else is asked: of an order that the caller does not see, nothing is.
    const seen = await this.orders.get(key);
    const [sagas, parts] = await Promise.all([this.orders.sagasOf(seen, caller), this.ask(seen)]);
    // It may have gone on meanwhile, and is never older than what it is shown with.
    const order = await this.orders.get(key);
    const { payment, reservation, delivery, invoice } = parts;
    return {
      order: orderJson(order),
      progress: progressOf(order, sagas.at(-1)),
      payment: known(payment, paymentJson),
      reservation: known(reservation, reservationJson),
      delivery: known(delivery, deliveryJson),
      invoice: known(invoice, invoiceJson),
      degraded: screenParts.filter((part) => parts[part] === 'away'),
    };
  }

  /** All at the same time. An order that is not confirmed yet has neither a delivery nor an invoice. */
  private async ask({ tenant, id, sagaId, status }: Order): Promise<Parts> {
    const isOpen = status === 'pending';
    const [payment, reservation, delivery, invoice] = await Promise.all([
      this.neighbours.readPaymentOf(tenant, id),
      this.neighbours.readReservation(tenant, sagaId),
      isOpen ? undefined : this.neighbours.readDeliveryOf(tenant, id),
      isOpen ? undefined : this.neighbours.readInvoiceOf(tenant, id),
    ]);
    return { payment, reservation, delivery, invoice };
  }
}

interface Parts extends Record<ScreenPart, object | Away | undefined> {
  payment: SeenPayment | Away | undefined;
  reservation: SeenReservation | Away | undefined;
  delivery: SeenDelivery | Away | undefined;
  invoice: SeenInvoice | Away | undefined;
}

const known = <Seen extends object, Shown>(
  part: Seen | Away | undefined,
  json: (seen: Seen) => Shown,
): Shown | undefined => (part === undefined || part === 'away' ? undefined : json(part));
