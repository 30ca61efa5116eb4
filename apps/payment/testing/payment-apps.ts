/**
 * Two instances of the whole payment service on one database, with one scripted provider. The tests send them requests
 * without a socket.
 */
import { randomUUID } from 'node:crypto';
import { type Answer, callersOf, TestClient } from '@shop/http/testing';
import { Idempotency } from '@shop/idempotency';
import { Database } from '@shop/postgres';
import { openService, type ServiceUrls } from '@shop/service/testing';
import { eventually } from '@shop/testing';
import { paymentService } from '../src/app';
import type { Provider } from '../src/payments/provider';
import { providerDependency } from '../src/payments/provider-calls';
import type { KeptIntent } from './scripted-books';
import { ScriptedProvider } from './scripted-provider';
import type { ProviderReports } from '../src/webhooks/provider-reports';
import { signatureOf } from './webhook-events';

const known = callersOf({
  operator: 'acme/olga:operator',
  customer: 'acme/carl:customer',
  /** Another customer of the same tenant. */
  cora: 'acme/cora:customer',
  /** Of those who run the system. */
  platform: 'acme/paul:platform',
  /** A caller of another tenant. */
  rival: 'rival/rita:operator',
});
export const { callers } = known;

/** One instance of the whole service. Requests come from the operator, unless a call names another caller. */
export async function openPaymentApp(
  urls: ServiceUrls,
  provider?: Provider & ProviderReports,
  more: Record<string, string> = {},
): Promise<TestClient> {
  const env = { PAYMENT_PROVIDER: 'simulated', API_KEYS: known.API_KEYS, ...more };
  const app = await openService(paymentService(provider, providerDependency({ maxTries: 1 })), urls, env, {
    takesMessages: false,
  });
  return new TestClient(app, callers.operator);
}

export interface Call {
  /** The API key. The default is the operator's key. */
  as?: string;
  /** The Idempotency-Key; null for no key. */
  key?: string | null;
  headers?: Record<string, string>;
  /** Which of the two instances gets the request. */
  replica?: 0 | 1;
}

export interface PaymentJson {
  id: string;
  status: string;
  amount: number;
  refunded: number;
  version: number;
  nextAction?: { type: string; url: string; expiresAt: string };
  expiresAt?: string;
}

export class PaymentApps {
  readonly provider = new ScriptedProvider();
  private apps: TestClient[] = [];

  /** @param more variables of the services */
  static async open(urls: ServiceUrls, more?: Record<string, string>): Promise<PaymentApps> {
    const replicas = new PaymentApps();
    for (let number = 0; number < 2; number++) {
      replicas.apps.push(await openPaymentApp(urls, replicas.provider, more));
    }
    return replicas;
  }

  async close(): Promise<void> {
    await Promise.all(this.apps.map((app) => app.close()));
  }

  get<T>(type: abstract new (...args: never[]) => T, replica: 0 | 1 = 0): T {
    return this.apps[replica]!.app.get<T>(type);
  }

  replica(number: 0 | 1): TestClient {
    return this.apps[number]!;
  }

  get database(): Database {
    return this.get(Database);
  }

  post(url: string, body: object, { as, key = randomUUID(), headers, replica = 0 }: Call = {}) {
    const named: Record<string, string> = key === null ? {} : { 'idempotency-key': key };
    return this.apps[replica]!.call('POST', url, { key: as, body, headers: { ...named, ...headers } });
  }

  /** An event as the provider sends it, unless the headers say something else. */
  hook(body: string, headers: Record<string, string> = { 'stripe-signature': signatureOf(body) }, replica: 0 | 1 = 0) {
    return this.apps[replica]!.call('POST', '/webhooks/stripe', { key: null, body, headers });
  }

  read(url: string, { as, headers, replica = 0 }: Call = {}) {
    return this.apps[replica]!.call('GET', url, { key: as, headers });
  }

  pay(body: object = paymentBody(), call?: Call) {
    return this.post('/payments', body, call);
  }

  refund(paymentId: string, amount: number, call?: Call) {
    return this.post(`/payments/${paymentId}/refunds`, { amount }, call);
  }

  /** A payment of 4200 that succeeded. */
  async paid(): Promise<PaymentJson> {
    const answer = await this.pay();
    expect(answer.statusCode).toBe(201);
    return answer.json<PaymentJson>();
  }

  async payment(id: string): Promise<PaymentJson> {
    return (await this.read(`/payments/${id}`)).json<PaymentJson>();
  }

  query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.apps[0]!.query<Row>(text, values);
  }

  /** The id of the payment that was begun last. Its source is sealed, so the test cannot find it by that. */
  async newestPending(): Promise<string> {
    const [row] = await this.query<{ id: string }>(
      `select id from payment where status = 'pending' order by created_at desc limit 1`,
    );
    return row!.id;
  }

  /** Changes the lease as if the owner of the request had been silent for longer than any lease. */
  ageLease(key: string): Promise<unknown> {
    return this.query(
      `update ledger set leased_until = now() - interval '1 hour' where key = $1 and status = 'pending'`,
      [key],
    );
  }

  /** Changes the entry as if its retention was over. */
  forget(key: string): Promise<unknown> {
    return this.query('delete from ledger where key = $1', [key]);
  }

  /** The completer of a replica takes over all overdue work. */
  resumeOverdue(replica: 0 | 1): Promise<number> {
    return this.get<Idempotency>(Idempotency, replica).works.resumeOverdue();
  }

  /** The charge, when the provider has made it and holds its answer back. */
  async hangingCharge(source: string): Promise<KeptIntent> {
    return eventually(() => {
      const [charge] = this.provider.chargesOf(source);
      expect(charge && this.provider.isHanging(charge.paymentId)).toBe(true);
      return charge!;
    });
  }
}

/** Each body has its own source, by which the test finds it at the provider. */
export const paymentBody = (changed: object = {}) => ({
  amount: 4_200,
  currency: 'USD',
  source: `tok_${randomUUID()}`,
  ...changed,
});

export const outcomeOf = (response: Answer): string =>
  `${response.statusCode} ${response.json<{ code?: string; status?: string }>().code ?? 'ok'}`;

/** All that a client sees of an answer, and that a repeat has to give again. */
export const seenIn = ({ statusCode, body, headers }: Answer) => ({
  statusCode,
  body,
  location: headers.location,
  etag: headers.etag,
  type: headers['content-type'],
});
