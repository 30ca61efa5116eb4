/** How texts of the provider, which may be anything, are handled. */
import { createLogger } from '@shop/observability';
import { RetryableError } from '@shop/resilience';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import type { ChargeResult } from './provider';
import { ProviderCalls } from './provider-calls';

const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
const sealer = new Sealer(DEVELOPMENT_DATA_KEYS);
const turn = { tenant: 'demo', patienceMs: 1_000 };
const asking = { ids: { paymentId: 'pmt_1' }, place: 'here', askedBefore: false, ageMs: 0, ...turn };
const callsTo = (result: ChargeResult, reference = 're_1') =>
  new ProviderCalls(
    {
      charge: async () => result,
      refund: async () => ({ reference }),
      findCharge: async () => undefined,
      findRefund: async () => undefined,
    },
    logger,
    sealer,
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

describe('R26 ProviderCalls and a sealed source', () => {
  const errors: object[] = [];
  const log = { ...logger, error: (fields: object) => errors.push(fields) } as unknown as typeof logger;
  const charged: string[] = [];
  const callsWith = (keys: string) =>
    new ProviderCalls(
      {
        charge: async ({ source }) => {
          charged.push(source);
          return { outcome: 'succeeded', reference: 'pi_1' };
        },
        refund: async () => ({ reference: 're_1' }),
        findCharge: async () => undefined,
        findRefund: async () => undefined,
      },
      log,
      new Sealer(keys),
    );
  const request = (source: string) => ({
    idempotencyKey: 'cmd-1',
    paymentId: 'pmt_1',
    amount: 1,
    currency: 'EUR',
    source,
  });

  it('R26 opens it for the provider; one that an earlier release has sent is in clear', async () => {
    for (const source of [sealer.seal('tok_sealed', 'here'), 'tok_clear']) {
      await callsWith(DEVELOPMENT_DATA_KEYS).charge(request(source), asking);
    }
    expect(charged.splice(0)).toEqual(['tok_sealed', 'tok_clear']);
  });

  it('R26 does not decline the charge when the key is lost, and tells an operator; with the key it is made', async () => {
    const sealed = sealer.seal('tok_sealed', 'here');
    const other = `other:${Buffer.alloc(32, 7).toString('base64')}`;
    await expect(callsWith(other).charge(request(sealed), asking)).rejects.toThrow(RetryableError);
    expect(errors.splice(0)).toEqual([
      { paymentId: 'pmt_1', reason: 'the sealed text cannot be opened: DATA_KEYS has no key "dev"' },
    ]);
    expect(charged).toEqual([]);
    expect((await callsWith(`${other},${DEVELOPMENT_DATA_KEYS}`).charge(request(sealed), asking)).outcome).toBe(
      'succeeded',
    );
  });

  it('R26 does not charge with the token of another order', async () => {
    const elsewhere = { ...asking, place: 'elsewhere' };
    const charging = callsWith(DEVELOPMENT_DATA_KEYS).charge(request(sealer.seal('tok_sealed', 'here')), elsewhere);
    await expect(charging).rejects.toThrow(RetryableError);
  });
});
