/** Money that is held and that nobody captures, under both policies. */
import { createLogger } from '@shop/observability';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import { useStack } from '@shop/testing';
import { PaymentReplicas, perform, preparePaymentDatabase, tenant } from '../../testing/payment-replicas';
import { ProviderCalls, providerDependency } from '../payments/provider-calls';
import { WaitingPayments } from '../payments/waiting-payments';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let replicas: PaymentReplicas;

beforeAll(async () => {
  replicas = await PaymentReplicas.open(stack.databaseUrl);
});
afterAll(() => replicas.close());

/** What a replica with this policy does, and what it logs. */
function under(policy: 'keep' | 'release') {
  const lines: string[] = [];
  const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
  logger.warn = (_: unknown, event?: string) => void lines.push(event!);
  const sealer = new Sealer(DEVELOPMENT_DATA_KEYS);
  const calls = new ProviderCalls(replicas.provider, logger, sealer, providerDependency({ maxTries: 1 }));
  const authorization = { policy, warningSeconds: 86_400 };
  const limits = { approvalSeconds: 900, processingSeconds: 86_400, authorization };
  const relay = { wake: () => undefined };
  return { waiting: new WaitingPayments({ database: replicas.database, calls, relay, limits, logger }), lines };
}

/** A charge whose money is held for this long. */
async function held(hours: number) {
  const { charge: plain, paymentId, taken } = replicas.newCase();
  const charge = { ...plain, data: { ...(plain.data as object), capture: 'manual' } };
  await perform(replicas.one, charge);
  await replicas.query(`update payment set expires_at = now() + $2 * interval '1 hour' where id = $1`, [
    paymentId,
    hours,
  ]);
  const events = async () =>
    (
      await replicas.query<{ type: string }[]>(
        `select event ->> 'type' as type from outbox where event ->> 'subject' = $1 order by xid, position`,
        [paymentId],
      )
    ).map(({ type }) => type);
  return { charge, paymentId, taken, events, payment: () => replicas.paymentOf(charge) };
}

const expiring = 'payment.authorization-expiring.v1';
const hoursToNextLook = async (id: string) => {
  const [row] = await replicas.query<{ hours: number }[]>(
    `select round(extract(epoch from check_at - now()) / 3600)::int as hours from payment where id = $1`,
    [id],
  );
  return row!.hours;
};

describe('R58 money that is held', () => {
  it('R58 for long is left alone, and looked at a day before its end', async () => {
    const { waiting, lines } = under('release');
    const { paymentId: id, payment, events } = await held(100);
    await waiting.settle({ tenant, id });
    expect([await payment(), await events(), lines]).toMatchObject([{ status: 'authorized' }, [], []]);
    expect(await hoursToNextLook(id)).toBe(76);
  });

  it('R58 not much longer is kept: it is told once, however many look', async () => {
    const { waiting, lines } = under('keep');
    const { paymentId: id, payment, events } = await held(12);
    await Promise.all(Array.from({ length: 5 }, () => waiting.settle({ tenant, id })));
    expect([await payment(), await events(), lines]).toMatchObject([
      { status: 'authorized' },
      [expiring],
      ['payment.authorization.expiring'],
    ]);
    expect(await hoursToNextLook(id)).toBe(12);
  });

  it('R58 not much longer is released, if that is the policy', async () => {
    const { waiting } = under('release');
    const { paymentId: id, payment, events, taken } = await held(12);
    await waiting.settle({ tenant, id });
    expect([await payment(), await events()]).toMatchObject([
      { status: 'cancelled', declineReason: 'authorization_expired' },
      [expiring, 'payment.settled.v1'],
    ]);
    expect([replicas.provider.intentsOf(id)[0]!.intent.status, taken()]).toEqual(['cancelled', 0]);
  });

  it('R58 is released a little later when the provider does not tell', async () => {
    const { waiting } = under('release');
    const { paymentId: id, payment } = await held(12);
    replicas.provider.plan(id, 'fails-before');
    await expect(waiting.settle({ tenant, id })).rejects.toThrow();
    expect([await payment(), await hoursToNextLook(id)]).toMatchObject([{ status: 'authorized' }, 0]);
    await waiting.settle({ tenant, id });
    expect(await payment()).toMatchObject({ status: 'cancelled' });
  });
});
