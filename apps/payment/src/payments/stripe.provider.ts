/**
 * The payment provider, called through Stripe's own SDK. It sorts the errors of the SDK by what has to be done next.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { amountOfProvider, objectionToPaying, type Payable, providerAmountOf } from '@shop/contracts';
import { RetryableError, TerminalError, withTimeout } from '@shop/resilience';
import Stripe from 'stripe';
import { payoutOf } from '../payouts/stripe-payout';
import { paymentIn } from '../webhooks/provider-event';
import type { Payout, ProviderReports } from '../webhooks/provider-reports';
import type { Intent } from './intent';
import {
  type CaptureRequest,
  type Confirmation,
  type IntentRequest,
  MAX_CALLS,
  type Provider,
  type RefundRequest,
  type ShownDispute,
  type ShownRefund,
} from './provider';
import type { PaymentKey } from './payments.repository';
import { failureOf, intentOfError, isKeyReused } from './stripe-failures';
import { carefully } from './stripe-http';
import { intentOf, likeliest } from './stripe-intent';
import { disputeOf, isTurnedDown, refundOf } from './stripe-refund';

export interface StripeProviderOptions {
  apiKey: string;
  /** The default is Stripe itself. */
  baseUrl?: string;
  /** For the whole call. */
  timeoutMs: number;
  /** Where a bank's page sends the customer. Without it, nobody is sent to such a page. */
  returnUrl?: string;
}

/** One for each call that is made at once. */
const MAX_SOCKETS = MAX_CALLS;
const MAX_IDLE_SOCKETS = 16;

/** More than ever belong together: one command makes one charge, and few refunds are made of one payment. */
const PAGE_SIZE = 100;

export class StripeProvider implements Provider, ProviderReports {
  private readonly stripe: Stripe;
  private readonly agent: HttpAgent;
  private readonly timeoutMs: number;
  private readonly returnUrl: string | undefined;

  constructor({ apiKey, baseUrl, timeoutMs, returnUrl }: StripeProviderOptions) {
    const { protocol, hostname, port } = new URL(baseUrl ?? 'https://api.stripe.com');
    const sockets = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_IDLE_SOCKETS };
    this.agent = protocol === 'http:' ? new HttpAgent(sockets) : new HttpsAgent(sockets);
    this.timeoutMs = timeoutMs;
    this.returnUrl = returnUrl;
    this.stripe = new Stripe(apiKey, {
      protocol: protocol === 'http:' ? 'http' : 'https',
      host: hostname,
      port: port || (protocol === 'http:' ? 80 : 443),
      httpClient: carefully(Stripe.createNodeHttpClient(this.agent)),
      timeout: timeoutMs,
      maxNetworkRetries: 0,
      telemetry: false,
    });
  }

  /** A request under this key of a release that asked for the money at once is found by our id. */
  async createIntent(request: IntentRequest): Promise<Intent> {
    const { idempotencyKey, tenant, paymentId, amount, currency, capture } = request;
    const params: Stripe.PaymentIntentCreateParams = {
      amount: unitsOf({ amount, currency }),
      currency: currency.toLowerCase(),
      capture_method: capture,
      automatic_payment_methods: { enabled: true, allow_redirects: this.returnUrl === undefined ? 'never' : 'always' },
      metadata: { tenant, paymentId, commandId: idempotencyKey },
      // Without this, the first capture is the last one. Where several are not possible, the provider ignores it.
      ...(capture === 'manual' && { payment_method_options: { card: { request_multicapture: 'if_available' } } }),
    };
    try {
      return intentOf(await this.within('the intent', this.stripe.paymentIntents.create(params, { idempotencyKey })));
    } catch (error) {
      const found = isKeyReused(error) ? await this.findIntent(request) : undefined;
      if (found) return found;
      throw failureOf(error);
    }
  }

  async confirm({ reference, idempotencyKey, source }: Confirmation): Promise<Intent> {
    const params: Stripe.PaymentIntentConfirmParams = {
      payment_method: source,
      // Without a page to return to, nobody could answer a question of the bank.
      ...(this.returnUrl === undefined ? { error_on_requires_action: true } : { return_url: this.returnUrl }),
    };
    return this.intent('the charge', this.stripe.paymentIntents.confirm(reference, params, { idempotencyKey }), {
      reference,
    });
  }

  retrieve(reference: string): Promise<Intent> {
    return this.intent('the look at the charge', this.stripe.paymentIntents.retrieve(reference), { reference });
  }

  cancel({ reference, idempotencyKey }: { reference: string; idempotencyKey: string }): Promise<Intent> {
    const work = this.stripe.paymentIntents.cancel(reference, {}, { idempotencyKey });
    return this.intent('giving up the charge', work, { reference });
  }

  /** The name of the capture is written into the intent with it, and shown from then on. */
  async capture({ idempotencyKey, id, reference, amount, currency, final }: CaptureRequest): Promise<Intent> {
    const params: Stripe.PaymentIntentCaptureParams = {
      amount_to_capture: unitsOf({ amount, currency }),
      final_capture: final,
      metadata: { [id]: String(amount) },
    };
    const work = this.stripe.paymentIntents.capture(reference, params, { idempotencyKey });
    const named = work.then((intent) => ({ ...intent, metadata: { ...intent.metadata, [id]: String(amount) } }));
    return this.intent('the capture', named, { reference });
  }

  async refund({ idempotencyKey, reference, amount, currency }: RefundRequest): Promise<ShownRefund> {
    const params = {
      payment_intent: reference,
      amount: currency === undefined ? amount : unitsOf({ amount, currency }),
      metadata: { commandId: idempotencyKey },
    };
    try {
      const work = this.stripe.refunds.create(params, { idempotencyKey });
      const refund = await this.within('the refund', work);
      if (isTurnedDown(refund.status)) throw new TerminalError(`the refund ${refund.id} is ${refund.status}`);
      return refundOf(refund);
    } catch (error) {
      throw failureOf(error);
    }
  }

  async findIntent(request: IntentRequest): Promise<Intent | undefined> {
    try {
      const found = likeliest(await this.within('the search of the charge', this.intentsOf(request)));
      return found && intentOf(checked(found, request));
    } catch (error) {
      throw failureOf(error);
    }
  }

  async findRefund({ idempotencyKey, reference }: RefundRequest): Promise<ShownRefund | undefined> {
    const list = async () => {
      for await (const refund of this.stripe.refunds.list({ payment_intent: reference, limit: PAGE_SIZE })) {
        if (refund.metadata?.commandId === idempotencyKey && !isTurnedDown(refund.status)) return refund;
      }
      return undefined;
    };
    try {
      const found = await this.within('the list of refunds', list());
      return found && refundOf(found);
    } catch (error) {
      throw failureOf(error);
    }
  }

  retrieveRefund(reference: string): Promise<ShownRefund> {
    return this.read('the look at the refund', this.stripe.refunds.retrieve(reference), refundOf);
  }

  dispute(id: string): Promise<ShownDispute> {
    const look = async () => {
      const dispute = await this.stripe.disputes.retrieve(id);
      const intent = dispute.payment_intent;
      return disputeOf(
        dispute,
        typeof intent === 'string' ? await this.stripe.paymentIntents.retrieve(intent) : undefined,
      );
    };
    return this.read('the look at the dispute', look(), (shown) => shown);
  }

  disputesOf(reference: string): Promise<ShownDispute[]> {
    const look = async () => {
      const [{ data }, intent] = await Promise.all([
        this.stripe.disputes.list({ payment_intent: reference, limit: PAGE_SIZE }),
        this.stripe.paymentIntents.retrieve(reference),
      ]);
      return data.map((dispute) => disputeOf(dispute, intent));
    };
    return this.read('the list of disputes', look(), (shown) => shown);
  }

  payout(id: string): Promise<Payout> {
    return this.read('the look at the payout', this.stripe.payouts.retrieve(id), payoutOf);
  }

  paymentOf(intentId: string): Promise<PaymentKey | undefined> {
    return this.read('the look at the charge', this.stripe.paymentIntents.retrieve(intentId), (intent) => {
      const { tenant, paymentId: id } = paymentIn(intent);
      return tenant !== null && id !== null ? { tenant, id } : undefined;
    });
  }

  private async read<T, Read>(what: string, work: Promise<T>, of: (told: T) => Read): Promise<Read> {
    try {
      return of(await this.within(what, work));
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** The intent that the work ends with, or that its error tells of. */
  private async intent(
    what: string,
    work: Promise<Stripe.PaymentIntent>,
    { reference }: { reference: string },
  ): Promise<Intent> {
    try {
      return intentOf(await this.within(what, this.withCharge(work)));
    } catch (error) {
      const told = intentOfError(error, reference);
      if (told) return told;
      throw failureOf(error);
    }
  }

  /** Until when money is held is told with the charge. So one that holds money is read again, with its charge. */
  private async withCharge(work: Promise<Stripe.PaymentIntent>): Promise<Stripe.PaymentIntent> {
    const intent = await work;
    if (intent.status !== 'requires_capture' || typeof intent.latest_charge !== 'string') return intent;
    const { latest_charge: charge } = await this.stripe.paymentIntents.retrieve(intent.id, {
      expand: ['latest_charge'],
    });
    return { ...intent, latest_charge: charge };
  }

  private within<T>(what: string, work: Promise<T>): Promise<T> {
    return withTimeout(work, this.timeoutMs, what);
  }

  /** The search may show an intent as it was some time ago. So each is read again by its id. */
  private async intentsOf({ idempotencyKey }: IntentRequest): Promise<Stripe.PaymentIntent[]> {
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

/** @throws RetryableError when it is not what we have asked for */
function checked(intent: Stripe.PaymentIntent, { amount, currency }: IntentRequest): Stripe.PaymentIntent {
  const same = intent.currency === currency.toLowerCase() && amountOfProvider(intent.amount, currency) === amount;
  if (same) return intent;
  throw new RetryableError(`the charge ${intent.id} has another amount: look it up at the provider`);
}
