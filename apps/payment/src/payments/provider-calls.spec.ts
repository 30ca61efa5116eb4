/** How texts of the provider, which may be anything, are handled. */
import { createLogger } from '@shop/observability';
import { RetryableError } from '@shop/resilience';
import type { ChargeResult } from './provider';
import { ProviderCalls } from './provider-calls';

const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
const asking = { ids: { paymentId: 'pmt_1' }, askedBefore: false, ageMs: 0, tenant: 'demo', patienceMs: 1_000 };
const callsTo = (result: ChargeResult, reference = 're_1') =>
  new ProviderCalls(
    {
      charge: async () => result,
      refund: async () => ({ reference }),
      findCharge: async () => undefined,
      findRefund: async () => undefined,
    },
    logger,
  );
const charge = (result: ChargeResult) =>
  callsTo(result).charge(
    { idempotencyKey: 'cmd-1', paymentId: 'pmt_1', amount: 1, currency: 'EUR', source: 'tok_ok' },
    asking,
  );
const refund = (reference: string) =>
  callsTo({ outcome: 'declined', reason: 'not asked' }, reference).refund(
    { idempotencyKey: 'cmd-2', reference: 'pi_1', amount: 1, currency: 'EUR' },
    asking,
  );

describe('ProviderCalls', () => {
  const longest = 'r'.repeat(200);

  it('passes on a reference as it is', async () => {
    expect(await charge({ outcome: 'succeeded', reference: longest })).toEqual({
      outcome: 'succeeded',
      reference: longest,
    });
    expect(await refund(longest)).toEqual({ outcome: 'succeeded', reference: longest });
  });

  it.each(['', `${longest}r`])('takes no answer for known whose reference is %p', async (reference) => {
    await expect(charge({ outcome: 'succeeded', reference })).rejects.toThrow(RetryableError);
    await expect(refund(reference)).rejects.toThrow(RetryableError);
  });

  it('cuts the reason of a decline, and no character of it in two', async () => {
    expect(await charge({ outcome: 'declined', reason: '💳'.repeat(201) })).toEqual({
      outcome: 'declined',
      reason: '💳'.repeat(200),
    });
  });
});
