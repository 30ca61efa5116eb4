/** All that the page of one order shows, chosen on purpose: nothing here is for operators only. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import type { SeenDelivery, SeenInvoice, SeenPayment, SeenReservation } from '../../neighbours/answers';
import { OrderView } from '../order.view';
import { type Progress, progressStatuses, type ProgressStatus } from './progress';

/** The parts that other services know. */
export const screenParts = ['payment', 'reservation', 'delivery', 'invoice'] as const;
export type ScreenPart = (typeof screenParts)[number];

@ApiSchema({ name: 'OrderProgress', description: 'How far an order is.' })
export class ProgressView implements Progress {
  @ApiProperty({
    enum: progressStatuses,
    description: 'held_up: people of the shop have to act; confirmed and cancelled are ends',
    example: 'in_progress',
  })
  status: ProgressStatus;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: 100,
    description: 'of the way to its end, which is confirmed, or cancelled while it is being cancelled',
    example: 40,
  })
  percent: number;

  @ApiProperty({ description: 'for the customer, in English', example: 'Your payment is being made.' })
  text: string;

  @ApiPropertyOptional({ description: 'the step of the saga whose reply is awaited', example: 'charge' })
  step?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'how often that step was asked for; 0 while it waits',
    example: 1,
  })
  attempt?: number;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'while the customer or the bank has to act: by then they have, or the order is cancelled',
  })
  until?: string;
}

@ApiSchema({ name: 'OrderPayment', description: 'The payment of an order, as its customer may see it.' })
export class OrderPaymentView implements Omit<SeenPayment, 'orderId'> {
  @ApiProperty({ description: 'as the payment service says it, such as succeeded or declined', example: 'succeeded' })
  status: string;

  @ApiProperty({ type: 'integer', description: 'minor units of the currency', example: 3998 })
  amount: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  currency: string;

  @ApiProperty({ type: 'integer', description: 'what was taken; less than the amount while it is held', example: 3998 })
  captured: number;

  @ApiProperty({ type: 'integer', description: 'what was given back', example: 0 })
  refunded: number;
}

@ApiSchema({ name: 'OrderReservationLine', description: 'Pieces of one SKU.' })
export class OrderReservationLineView {
  @ApiProperty({ example: 'cup' })
  sku: string;

  @ApiProperty({ type: 'integer', description: 'pieces', example: 2 })
  quantity: number;
}

@ApiSchema({ name: 'OrderReservation', description: 'What inventory holds for an order, or has sold for it.' })
export class OrderReservationView implements Omit<SeenReservation, 'id' | 'expiresAt'> {
  @ApiProperty({ description: 'as the inventory service says it, such as open or confirmed', example: 'confirmed' })
  status: string;

  @ApiProperty({ type: [OrderReservationLineView], description: 'as they were ordered' })
  lines: OrderReservationLineView[];

  @ApiPropertyOptional({ type: [OrderReservationLineView], description: 'pieces that are still to come' })
  awaited?: OrderReservationLineView[];
}

@ApiSchema({ name: 'OrderDelivery', description: 'The delivery of an order, as its customer may see it.' })
export class OrderDeliveryView {
  @ApiProperty({
    description: 'as the fulfilment service says it, such as waiting, handed_over or delivered',
    example: 'handed_over',
  })
  status: string;

  @ApiPropertyOptional({
    description: 'how the carrier brings it: home, or pick-up at its own place; missing until it has it',
    example: 'home',
  })
  service?: string;

  @ApiPropertyOptional({ description: 'missing until the carrier has it', example: 'TRK-000042' })
  trackingNumber?: string;
}

@ApiSchema({ name: 'OrderInvoice', description: 'The invoice of an order. The payment service has all of it.' })
export class OrderInvoiceView {
  @ApiProperty({ example: 'INV-2026-0001' })
  number: string;

  @ApiProperty({ type: 'integer', description: 'minor units of the currency, with the tax', example: 3998 })
  amount: number;

  @ApiProperty({ type: 'integer', description: 'the tax in it', example: 638 })
  tax: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  currency: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  issuedAt: string;
}

@ApiSchema({ name: 'OrderScreen', description: 'One order with all that its page shows.' })
export class OrderScreenView {
  @ApiProperty({ type: OrderView })
  order: OrderView;

  @ApiProperty({ type: ProgressView })
  progress: ProgressView;

  @ApiPropertyOptional({ type: OrderPaymentView, description: 'missing while there is none, or when it is degraded' })
  payment?: OrderPaymentView;

  @ApiPropertyOptional({
    type: OrderReservationView,
    description: 'missing while there is none, or when it is degraded',
  })
  reservation?: OrderReservationView;

  @ApiPropertyOptional({
    type: OrderDeliveryView,
    description: 'missing while there is none, or when it is degraded',
  })
  delivery?: OrderDeliveryView;

  @ApiPropertyOptional({ type: OrderInvoiceView, description: 'missing while there is none, or when it is degraded' })
  invoice?: OrderInvoiceView;

  @ApiProperty({
    enum: screenParts,
    isArray: true,
    description: 'the parts whose service gave no answer in time: of these nothing is known now; all else is complete',
    example: [],
  })
  degraded: ScreenPart[];
}

export function paymentJson({ status, amount, currency, captured, refunded }: SeenPayment): OrderPaymentView {
  return { status, amount, currency, captured, refunded };
}

export function reservationJson({ status, lines, awaited }: SeenReservation): OrderReservationView {
  const json = (some: readonly OrderReservationLineView[]) => some.map(({ sku, quantity }) => ({ sku, quantity }));
  return { status, lines: json(lines), awaited: awaited?.length ? json(awaited) : undefined };
}

export function deliveryJson({ status, service, trackingNumber }: SeenDelivery): OrderDeliveryView {
  return { status, service: service ?? undefined, trackingNumber: trackingNumber ?? undefined };
}

export function invoiceJson({ number, totals, currency, issuedAt }: SeenInvoice): OrderInvoiceView {
  return { number, amount: totals.gross, tax: totals.tax, currency, issuedAt };
}
