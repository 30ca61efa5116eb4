/** How texts of the provider, which may be anything, are handled. */
import { createLogger } from '@shop/observability';
import { RetryableError } from '@shop/resilience';
import type { ChargeResult } from './provider';
import { assertRemembered, ProviderCalls } from './provider-calls';

const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
const asking = { ids: { paymentId: 'pmt_1' }, askedBefore: false };
const callsTo = (result: ChargeResult, reference = 're_1') =>
  new ProviderCalls({ charge: async () => result, refund: async () => ({ reference }) }, logger);
const charge = (result: ChargeResult) =>
  callsTo(result).charge(
    { idempotencyKey: 'cmd-1', paymentId: 'pmt_1', amount: 1, currency: 'EUR', source: 'tok_ok' },
    asking,
  );
const refund = (reference: string) =>
  callsTo({ outcome: 'declined', reason: 'not asked' }, reference).refund(
    { idempotencyKey: 'cmd-2', reference: 'pi_1', amount: 1 },
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

describe('what was asked', () => {
  const HOUR_MS = 3_600_000;

  it('may be asked again while the provider remembers its key, and no longer', () => {
    expect(() => assertRemembered(23 * HOUR_MS - 1)).not.toThrow();
    expect(() => assertRemembered(23 * HOUR_MS)).toThrow(RetryableError);
    expect(() => assertRemembered(30.5 * HOUR_MS)).toThrow('begun 30 hours ago');
  });
});
