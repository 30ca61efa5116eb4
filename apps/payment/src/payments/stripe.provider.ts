/**
 * The payment provider, called through Stripe's own SDK. It sorts the errors of the SDK by what has to be done next.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { amountOfProvider, objectionToPaying, type Payable, providerAmountOf } from '@shop/contracts';
import { RetryableError, TerminalError, withTimeout } from '@shop/resilience';
import Stripe from 'stripe';
import { type ChargeRequest, type ChargeResult, MAX_CALLS, type Provider, type RefundRequest } from './provider';

export interface StripeProviderOptions {
  apiKey: string;
  /** The default is Stripe itself. */
  baseUrl?: string;
  /** For the whole call. */
  timeoutMs: number;
}

/** One for each call that is made at once. */
const MAX_SOCKETS = MAX_CALLS;
const MAX_IDLE_SOCKETS = 16;

/**
 * Request timeout, conflict with the same request in progress, failed dependency, rate limit: there is no answer yet.
 */
const UNDECIDED_STATUSES = [408, 409, 424, 429];
/**
 * Access was denied. The provider has not read this request, and an earlier request under the same key may have
 * succeeded.
 */
const UNREAD_STATUSES = [401, 403];
/** More than ever belong together: one command makes one charge, and few refunds are made of one payment. */
const PAGE_SIZE = 100;

export class StripeProvider implements Provider {
  private readonly stripe: Stripe;
  private readonly agent: HttpAgent;
  private readonly timeoutMs: number;

  constructor({ apiKey, baseUrl, timeoutMs }: StripeProviderOptions) {
    const { protocol, hostname, port } = new URL(baseUrl ?? 'https://api.stripe.com');
    const sockets = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_IDLE_SOCKETS };
    this.agent = protocol === 'http:' ? new HttpAgent(sockets) : new HttpsAgent(sockets);
    this.timeoutMs = timeoutMs;
    this.stripe = new Stripe(apiKey, {
      protocol: protocol === 'http:' ? 'http' : 'https',
      host: hostname,
      port: port || (protocol === 'http:' ? 80 : 443),
      httpClient: sendingOnce(Stripe.createNodeHttpClient(this.agent)),
      timeout: timeoutMs,
      maxNetworkRetries: 0,
      telemetry: false,
    });
  }

  async charge({ idempotencyKey, paymentId, amount, currency, source }: ChargeRequest): Promise<ChargeResult> {
    const params: Stripe.PaymentIntentCreateParams = {
      amount: unitsOf({ amount, currency }),
      currency: currency.toLowerCase(),
      confirm: true,
      payment_method: source,
      allowed_payment_method_types: ['card'],
      // Nobody could answer a question of the bank. So such a card is declined now, and the payment does not wait.
      error_on_requires_action: true,
      metadata: { paymentId, commandId: idempotencyKey },
    };
    try {
      const work = this.stripe.paymentIntents.create(params, { idempotencyKey });
      const { id, status } = await withTimeout(work, this.timeoutMs, 'the charge');
      if (status === 'succeeded') return { outcome: 'succeeded', reference: id };
      throw new RetryableError(`the charge ${id} is ${status}`);
    } catch (error) {
      const reason = declineReasonOf(error);
      if (reason !== undefined) return { outcome: 'declined', reason };
      throw failureOf(error);
    }
  }

  async refund({ idempotencyKey, reference, amount, currency }: RefundRequest): Promise<{ reference: string }> {
    const params = {
      payment_intent: reference,
      amount: currency === undefined ? amount : unitsOf({ amount, currency }),
      metadata: { commandId: idempotencyKey },
    };
    try {
      const work = this.stripe.refunds.create(params, { idempotencyKey });
      const { id, status } = await withTimeout(work, this.timeoutMs, 'the refund');
      if (isTurnedDown(status)) throw new TerminalError(`the refund ${id} is ${status}`);
      return { reference: id };
    } catch (error) {
      throw failureOf(error);
    }
  }

  async findCharge(request: ChargeRequest): Promise<ChargeResult | undefined> {
    try {
      return resultOf(await withTimeout(this.intentsOf(request), this.timeoutMs, 'the search of the charge'), request);
    } catch (error) {
      throw failureOf(error);
    }
  }

  async findRefund({ idempotencyKey, reference }: RefundRequest): Promise<{ reference: string } | undefined> {
    const list = async () => {
      for await (const refund of this.stripe.refunds.list({ payment_intent: reference, limit: PAGE_SIZE })) {
        if (refund.metadata?.commandId === idempotencyKey && !isTurnedDown(refund.status)) return refund;
      }
      return undefined;
    };
    try {
      const found = await withTimeout(list(), this.timeoutMs, 'the list of refunds');
      return found && { reference: found.id };
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** The search may show an intent as it was some time ago. So each is read again by its id. */
  private async intentsOf({ idempotencyKey }: ChargeRequest): Promise<Stripe.PaymentIntent[]> {
    const value = idempotencyKey.replace(/[\\']/g, String.raw`\$&`);
    const { data } = await this.stripe.paymentIntents.search({
      query: `metadata['commandId']:'${value}'`,
      limit: PAGE_SIZE,
    });
    return Promise.all(data.map(({ id }) => this.stripe.paymentIntents.retrieve(id)));
  }

  /** Nest calls this when the consumers have drained. Idle connections would keep the process alive. */
  onApplicationShutdown(): void {
    this.agent.destroy();
  }
}

/** @throws TerminalError for an amount that the provider would not take */
function unitsOf(money: Payable): number {
  const objection = objectionToPaying(money);
  if (objection) throw new TerminalError(objection.detail);
  return providerAmountOf(money);
}

const isTurnedDown = (status: string | null): boolean => status === 'failed' || status === 'canceled';

/**
 * The result that all these intents of one charge have together. Undefined if there is none.
 * @throws RetryableError when one of them is not decided yet, or is not what we have asked for
 */
function resultOf(
  intents: readonly Stripe.PaymentIntent[],
  { amount, currency }: ChargeRequest,
): ChargeResult | undefined {
  const paid = intents.find(({ status }) => status === 'succeeded');
  if (paid) {
    const same = paid.currency === currency.toLowerCase() && amountOfProvider(paid.amount, currency) === amount;
    if (!same) throw new RetryableError(`the charge ${paid.id} has another amount: look it up at the provider`);
    return { outcome: 'succeeded', reference: paid.id };
  }
  const open = intents.find(({ status }) => status !== 'requires_payment_method' && status !== 'canceled');
  if (open) throw new RetryableError(`the charge ${open.id} is ${open.status}`);
  const [declined] = intents;
  if (!declined) return undefined;
  const { decline_code: declineCode, code } = declined.last_payment_error ?? {};
  return { outcome: 'declined', reason: declineCode || code || 'card_declined' };
}

/**
 * When a connection is closed, the SDK sends the request once more by itself after half a second, even with its retries
 * off. Only one place should decide when to ask again. So the SDK does not get to see this kind of failure.
 */
function sendingOnce(client: Stripe.HttpClient): Stripe.HttpClient {
  return {
    getClientName: () => client.getClientName(),
    makeRequest: (...request) =>
      client.makeRequest(...request).catch((cause: NodeJS.ErrnoException) => {
        const closed = Stripe.HttpClient.CONNECTION_CLOSED_ERROR_CODES.includes(cause.code ?? '');
        throw closed ? new Error('the connection was closed', { cause }) : cause;
      }),
  };
}

/** The customer sends the source. So a source that the provider does not know is a refusal, and not our own mistake. */
function declineReasonOf(error: unknown): string | undefined {
  if (!(error instanceof Stripe.errors.StripeError)) return undefined;
  if (error.rawType === 'card_error') return error.decline_code || error.code || 'card_declined';
  return error.code === 'resource_missing' && error.param === 'payment_method' ? 'unknown_source' : undefined;
}

function failureOf(error: unknown): RetryableError | TerminalError {
  if (error instanceof RetryableError || error instanceof TerminalError) return error;
  if (!(error instanceof Stripe.errors.StripeError)) return new RetryableError('the provider failed', { cause: error });
  const { statusCode = 0, headers } = error;
  const message = `the provider answered ${statusCode || 'nothing'}: ${error.message}`;
  if (isRefusal(error, statusCode)) return new TerminalError(message, { cause: error });
  return new RetryableError(message, { cause: error, retryAfterMs: retryAfterMsOf(headers) });
}

/** Whether the provider has judged this very request. Then no money moved, and none will. */
function isRefusal({ rawType }: Stripe.errors.StripeError, status: number): boolean {
  // The key belongs to a request with other parameters. The outcome of that request is unknown.
  if (rawType === 'idempotency_error') return false;
  return status >= 400 && status < 500 && ![...UNDECIDED_STATUSES, ...UNREAD_STATUSES].includes(status);
}

/** Reads only seconds. The provider does not use the other form of the header, a date. */
function retryAfterMsOf(headers: Record<string, string> | undefined): number | undefined {
  const seconds = headers?.['retry-after'];
  return seconds !== undefined && /^\d{1,5}$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}
