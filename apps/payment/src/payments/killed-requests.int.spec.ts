/** R18 a process dies at each point of a payment or a refund: whoever resumes the work ends it once. */
import { randomUUID } from 'node:crypto';
import { fingerprintOf, Idempotency, PostgresLedger, type Outcome } from '@shop/idempotency';
import { createLogger } from '@shop/observability';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import { eventually, useStack } from '@shop/testing';
import { DyingDatabase } from '../../testing/dying-database';
import { PaymentApps, paymentBody } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { CreateRefund } from '../refunds/create-refund';
import { CreatePayment } from './create-payment';
import { ProviderCalls, providerDependency } from './provider-calls';
import { WaitingPayments } from './waiting-payments';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
const sealer = new Sealer(DEVELOPMENT_DATA_KEYS);
const tenant = 'acme';
const nobody = { wake: () => undefined };
let apps: PaymentApps;

beforeAll(async () => {
  apps = await PaymentApps.open(stack);
});
afterAll(() => apps.close());

const deathsIn = (transactions: number[]) =>
  transactions.flatMap((transaction) =>
    (['before', 'behind'] as const).map((moment) => [moment, transaction] as const),
  );
/** The transactions of a payment: the claim, the pending row, the name of its intent, and its end. */
const deaths = deathsIn([1, 2, 3, 4]);
/** Of a refund: the claim, the pending row, and, after the answer of the provider, the end. */
const deathsOfRefund = deathsIn([1, 2, 3]);

describe.each(['the same key', 'the completer'] as const)('R18 what a killed process has left to %s', (heir) => {
  it.each(deaths)('R18 is one charge when it died %s commit %i of a payment', async (moment, transaction) => {
    const { claim, key } = newClaim();
    const body = paymentBody();
    const work = new CreatePayment(dying(transaction, moment), calls(), waiting(), sealer);
    await expect(work.perform(claim, { tenant, ...body })).rejects.toThrow();
    const survivor = new CreatePayment(alive(), calls(), waiting(), sealer);
    const outcome = await inherit(key, () => survivor.perform(claim, { tenant, ...body }));
    const { id } = answerIn(outcome) as { id: string };
    expect(await apps.payment(id)).toMatchObject({ status: 'succeeded', version: 2, amount: 4_200 });
    expect(apps.provider.chargesOf(body.source)).toHaveLength(1);
    // It was named once as well: nothing is left at the provider that nobody knows.
    expect(apps.provider.intentsOf(id)).toHaveLength(1);
    expect(await rowsOf('payment', 'id', id)).toEqual(['succeeded']);
    // No payment waits with a token any more.
    expect(await apps.query('select id from payment where source is not null')).toEqual([]);
  });

  it.each(deathsOfRefund)(
    'R18 is given back once when it died %s commit %i of a refund',
    async (moment, transaction) => {
      const { claim, key } = newClaim();
      const { id } = await apps.paid();
      const refund = { tenant, paymentId: id, amount: 1_200 };
      const work = new CreateRefund(dying(transaction, moment), calls(), nobody);
      await expect(work.perform(claim, refund)).rejects.toThrow();
      const survivor = new CreateRefund(alive(), calls(), nobody);
      const outcome = await inherit(key, () => survivor.perform(claim, refund));
      expect(answerIn(outcome)).toMatchObject({ status: 'succeeded', amount: 1_200 });
      expect(apps.provider.refundsOf(id)).toHaveLength(1);
      expect(await rowsOf('refund', 'payment_id', id)).toEqual(['succeeded']);
      expect(await apps.payment(id)).toMatchObject({ refunded: 1_200, version: 3 });
    },
  );

  /** The heir ends the work. After that, a request with the same key has to find one outcome. */
  async function inherit(key: string, again: () => Promise<Outcome>): Promise<Outcome> {
    await apps.ageLease(key);
    if (heir === 'the completer') await apps.resumeOverdue(1);
    // The completers of both replicas are running too, and may be working on it now.
    const outcome = await eventually(async () => {
      const found = await again();
      expect(found.kind).not.toBe('in-use');
      return found;
    });
    expect(await again()).toMatchObject({ kind: 'replayed', answer: (outcome as { answer: object }).answer });
    return outcome;
  }
});

function newClaim() {
  const key = randomUUID();
  return { key, claim: { scope: `${tenant}|olga|POST /test`, key, fingerprint: fingerprintOf(key) } };
}

const dying = (transaction: number, moment: 'before' | 'behind') =>
  new Idempotency(new DyingDatabase(apps.database.dataSource, transaction, moment), new PostgresLedger());
const alive = () => new Idempotency(apps.database, new PostgresLedger());

const waiting = () => apps.get(WaitingPayments);
const calls = () => new ProviderCalls(apps.provider, logger, sealer, providerDependency({ maxTries: 1 }));

const answerIn = (outcome: Outcome): unknown => ('answer' in outcome ? JSON.parse(outcome.answer.body) : outcome);

async function rowsOf(table: 'payment' | 'refund', column: string, value: string): Promise<string[]> {
  const rows = await apps.query<{ status: string }>(`select status from ${table} where ${column} = $1`, [value]);
  return rows.map(({ status }) => status);
}
