import type { Answered, Asked } from './client';
import { placeSyntheticOrder } from './synthetic-order';

type Answers = Record<string, Answered | (() => Answered)>;

const ok = (body: Record<string, unknown> = {}, status = 200): Answered => ({ status, body });
const paid = (captured: number, refunded: number) => ok({ items: [{ captured, refunded }] });

/** A shop where all is well, but for what a test says. */
function shopWith(changed: Answers = {}) {
  const asked: string[] = [];
  let isCancelled = false;
  const answers: Answers = {
    'PUT /products/synthetic': ok({}, 201),
    'PUT /stock/synthetic': ok({}, 412),
    'GET /stock/synthetic': ok({ available: 40 }),
    'POST /stock/synthetic/adjustments': ok({}, 201),
    'POST /orders': ok({ id: 'o-1' }, 201),
    'GET /orders/o-1': () => ok({ status: isCancelled ? 'cancelled' : 'confirmed' }),
    'DELETE /orders/o-1': () => ok({}, 204),
    'GET /payments?orderId=o-1': paid(100, 100),
    ...changed,
  };
  const ask = async (_service: string, path: string, { method = 'GET' }: Asked, signal: AbortSignal) => {
    signal.throwIfAborted();
    const line = `${method} ${path}`;
    asked.push(line);
    if (method === 'DELETE') isCancelled = true;
    const answer = answers[line]!;
    return typeof answer === 'function' ? answer() : answer;
  };
  return { client: { ask }, asked };
}

const place = (client: ReturnType<typeof shopWith>['client'], timeoutMs = 5_000) =>
  placeSyntheticOrder({ client, source: 'tok_ok', timeoutMs });

describe('R51 a synthetic order', () => {
  it('R51 is good when it was placed, confirmed, cancelled, refunded, and its piece is back', async () => {
    const { client, asked } = shopWith();
    expect(await place(client)).toEqual({ ok: true, orderId: 'o-1' });
    expect(asked).toEqual([
      'PUT /products/synthetic',
      'PUT /stock/synthetic',
      'GET /stock/synthetic',
      'POST /orders',
      'GET /orders/o-1',
      'DELETE /orders/o-1',
      'GET /orders/o-1',
      'GET /payments?orderId=o-1',
      'GET /stock/synthetic',
    ]);
  });

  it.each<[string, Answers, string, string]>([
    [
      'there is no product to be had',
      { 'PUT /products/synthetic': ok({ code: 'forbidden' }, 403) },
      'prepare',
      'forbidden',
    ],
    ['it is refused', { 'POST /orders': ok({ code: 'unknown_sku' }, 422) }, 'place', 'unknown_sku'],
    [
      'it is declined',
      { 'GET /orders/o-1': ok({ status: 'cancelled', reason: 'payment_declined' }) },
      'confirm',
      'it was cancelled: payment_declined',
    ],
    [
      'it is charged twice',
      { 'GET /payments?orderId=o-1': ok({ items: [{ captured: 100 }, { captured: 100 }] }) },
      'refund',
      'more than once',
    ],
  ])('R51 fails when %s', async (_, changed, stage, why) => {
    const { client } = shopWith(changed);
    expect(await place(client)).toMatchObject({ ok: false, stage, why: expect.stringContaining(why) });
  });

  it('R51 fails when its cancellation is refused', async () => {
    let looked = 0;
    const order = () =>
      ok(++looked === 1 ? { status: 'confirmed' } : { status: 'confirmed', cancellationRefused: 'shipped' });
    const { client } = shopWith({ 'GET /orders/o-1': order });
    expect(await place(client)).toMatchObject({ ok: false, stage: 'cancel', why: 'it was refused: shipped' });
  });

  it.each<[string, Answers, string]>([
    ['is never confirmed', { 'GET /orders/o-1': ok({ status: 'pending' }) }, 'confirm'],
    ['is not refunded', { 'GET /payments?orderId=o-1': paid(100, 0) }, 'refund'],
    ['is refunded in part', { 'GET /payments?orderId=o-1': paid(100, 99) }, 'refund'],
  ])('R51 fails when its time is over and it %s, and is cancelled all the same', async (_, changed, stage) => {
    const { client, asked } = shopWith(changed);
    expect(await place(client, 700)).toMatchObject({ ok: false, stage, why: 'its time was over' });
    expect(asked.at(-1)).toBe('DELETE /orders/o-1');
  });

  it('R51 fails when its piece does not come back', async () => {
    let looked = 0;
    const { client } = shopWith({ 'GET /stock/synthetic': () => ok({ available: ++looked === 1 ? 40 : 39 }) });
    expect(await place(client, 700)).toMatchObject({ ok: false, stage: 'restock' });
  });

  it('R51 puts more pieces there when there are few', async () => {
    let pieces = 3;
    const more = () => ok({ available: (pieces += 1_000) }, 201);
    const { client, asked } = shopWith({
      'GET /stock/synthetic': () => ok({ available: pieces }),
      'POST /stock/synthetic/adjustments': more,
    });
    expect(await place(client)).toMatchObject({ ok: true });
    expect(asked).toContain('POST /stock/synthetic/adjustments');
  });

  it('R48 says nothing that somebody else has written', async () => {
    const code = 'x\n{"level":"info"} \u001b[2J';
    const { client } = shopWith({ 'POST /orders': ok({ code }, 422) });
    expect(await place(client)).toMatchObject({ why: 'order answered POST with 422 ' });
  });
});
