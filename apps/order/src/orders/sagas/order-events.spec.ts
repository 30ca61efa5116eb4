import { OrderActionRequired, OrderCancelled, OrderConfirmed } from '@shop/contracts';
import { bodyOf } from '@shop/messaging';
import type { SagaRow } from '@shop/saga';
import { cancelOrder } from './cancel-order.saga';
import { eventOf } from './order-events';
import { placeOrder } from './place-order.saga';

const key = { tenant: 'acme', id: '0198c0de-0000-7000-8000-000000000001' };
const placedBy = '0198c0de-0000-7000-8000-000000000002';
const traceparent = '00-11111111111111111111111111111111-2222222222222222-01';
const bought = { lines: [{ sku: 'cup', quantity: 2 }], amount: 2_400, currency: 'EUR', source: 'tok_secret' };

const placing = {
  id: placedBy,
  definition: placeOrder.name,
  data: { tenant: key.tenant, orderId: key.id, ...bought },
  traceparent,
} as unknown as SagaRow;
const cancelling = {
  ...placing,
  id: '0198c0de-0000-7000-8000-000000000003',
  definition: cancelOrder.name,
  data: { tenant: key.tenant, orderId: key.id, placedBy },
} as unknown as SagaRow;

describe('what others are told of an order', () => {
  it('R41 that it is confirmed, with what was paid', () => {
    const event = eventOf(placing, { ...key, status: 'confirmed' })!;
    expect(event).toEqual({
      specversion: '1.0',
      id: `${placedBy}/confirmed`,
      type: 'order.confirmed.v1',
      source: 'order',
      subject: placedBy,
      traceparent,
      datacontenttype: 'application/json',
      data: { tenant: 'acme', orderId: key.id, amount: 2_400, currency: 'EUR' },
    });
    expect(bodyOf(OrderConfirmed, event)).toMatchObject({ ok: true });
    expect(JSON.stringify(event)).not.toContain('tok_secret');
  });

  it('R41 that it is cancelled, and why', () => {
    const event = eventOf(placing, { ...key, status: 'cancelled', reason: 'out_of_stock' })!;
    expect(event).toMatchObject({ id: `${placedBy}/cancelled`, type: 'order.cancelled.v1', subject: placedBy });
    expect(event.data).toEqual({ tenant: 'acme', orderId: key.id, reason: 'out_of_stock' });
    expect(bodyOf(OrderCancelled, event)).toMatchObject({ ok: true });
  });

  it('R41 under one name, whichever of its sagas has cancelled it', () => {
    const event = eventOf(cancelling, { ...key, status: 'cancelled' })!;
    expect(event).toMatchObject({ id: `${placedBy}/cancelled`, subject: placedBy });
    expect(bodyOf(OrderCancelled, event)).toMatchObject({ ok: true });
  });

  it('R41 that its customer has to do something, under a name of its own each time', () => {
    const nextAction = { type: 'redirect', url: 'https://bank.example/7', expiresAt: '2026-03-01T12:00:00Z' } as const;
    const event = eventOf({ ...placing, version: 4 }, { ...key, status: 'pending', nextAction })!;
    expect(event).toMatchObject({
      id: `${placedBy}/action-required/4`,
      type: OrderActionRequired.type,
      subject: placedBy,
    });
    expect(event.data).toEqual({ tenant: 'acme', orderId: key.id, nextAction });
    expect(bodyOf(OrderActionRequired, event)).toMatchObject({ ok: true });
  });

  it('nothing more when it stays confirmed, because its delivery could not be stopped', () => {
    const change = { ...key, status: 'confirmed', cancellationRefused: 'already_shipped' } as const;
    expect(eventOf(cancelling, change)).toBeUndefined();
  });

  it('nothing of what is on the way', () => {
    expect(eventOf(placing, { ...key, status: 'cancelling', reason: 'timed_out' })).toBeUndefined();
    expect(eventOf(placing, { ...key, status: 'pending' })).toBeUndefined();
  });
});
