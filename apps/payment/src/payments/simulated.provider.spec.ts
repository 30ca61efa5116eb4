/** The provider inside the process: it stores nothing, and any two of them are the same provider. */
import { SimulatedProvider } from './simulated.provider';

const order = {
  idempotencyKey: 'cmd-1',
  tenant: 'acme',
  paymentId: 'pmt_1',
  amount: 4_200,
  currency: 'USD',
  capture: 'automatic' as const,
};
const back = { idempotencyKey: 'cmd-2', reference: 'pi_1', amount: 1_200, currency: 'USD' };
const [one, two] = [new SimulatedProvider(), new SimulatedProvider()];
const confirm = (reference: string, source: string) =>
  two.confirm({ reference, source, idempotencyKey: 'cmd-1/confirm/1' });

describe('SimulatedProvider', () => {
  it('gives the same name for the same key, and another one for another key', async () => {
    const intent = await one.createIntent(order);
    expect(intent).toMatchObject({ status: 'unconfirmed' });
    expect([await two.createIntent(order), await two.findIntent(order)]).toEqual([intent, intent]);
    expect(await one.createIntent({ ...order, idempotencyKey: 'cmd-9' })).not.toEqual(intent);
    expect(await two.retrieve(intent.reference)).toEqual(intent);
  });

  it('declines like the sandbox, and takes all other money', async () => {
    const { reference } = await one.createIntent(order);
    expect(await confirm(reference, 'tok_ok')).toEqual({ status: 'succeeded', reference });
    expect(await confirm(reference, 'tok_declined')).toEqual({
      status: 'declined',
      reference,
      reason: 'generic_decline',
    });
    expect(await confirm(reference, 'tok_insufficient_funds')).toMatchObject({ reason: 'insufficient_funds' });
  });

  it('R58 holds money when it is told to, and takes it with the first capture', async () => {
    const { reference } = await one.createIntent({ ...order, capture: 'manual' });
    expect(await confirm(reference, 'tok_ok')).toEqual({ status: 'authorized', reference });
    const capture = { idempotencyKey: 'work-1', id: 'cap_1', reference, amount: 1_200, currency: 'USD', final: false };
    expect(await two.capture(capture)).toMatchObject({ status: 'succeeded', captured: 1_200, captures: ['cap_1'] });
  });

  it('gives up what it is told to', async () => {
    expect(await one.cancel({ reference: 'pi_1' })).toEqual({ status: 'cancelled', reference: 'pi_1' });
  });

  it('gives the same refund for the same key', async () => {
    const refund = await one.refund(back);
    expect([await two.refund(back), await two.findRefund(back)]).toEqual([refund, refund]);
    expect(await one.refund({ ...back, idempotencyKey: 'cmd-9' })).not.toEqual(refund);
  });
});
