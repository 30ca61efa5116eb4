/** A small server on a real socket that stands for the payment provider and answers as a test says. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Stripe from 'stripe';
import { StripeProvider, type StripeProviderOptions } from '../src/payments/stripe.provider';

export type Respond = (response: ServerResponse, request: SeenRequest) => void;

export interface SeenRequest {
  /** Method and path. */
  call: string;
  search: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The fields of the body. */
  form: Record<string, string>;
}

/** What an error of the provider says about itself. The types of the SDK check the names. */
export type ShownError = Partial<Pick<Stripe.StripeRawError, 'code' | 'decline_code' | 'param' | 'message'>> & {
  type: Stripe.RawErrorType;
  payment_intent?: ShownIntent;
};

export type ShownIntent = ReturnType<typeof shownIntent>;

/** Much longer than any answer takes here, so the tests see the effects of answers and not of the clock. */
export const PATIENCE_MS = 30_000;

export class ProviderServer {
  readonly seen: SeenRequest[] = [];
  private readonly server: Server;
  private readonly providers: StripeProvider[] = [];
  private respond: Respond = (response) => response.destroy();

  constructor() {
    this.server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        const { pathname, searchParams: search } = new URL(request.url!, 'http://provider');
        const form = Object.fromEntries(new URLSearchParams(body));
        const seen = { call: `${request.method} ${pathname}`, search, headers: request.headers, form };
        this.seen.push(seen);
        this.respond(response, seen);
      });
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const provider of this.providers) provider.onApplicationShutdown();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  provider(options: Partial<StripeProviderOptions> = {}): StripeProvider {
    const { port } = this.server.address() as AddressInfo;
    const baseUrl = `http://127.0.0.1:${port}`;
    const provider = new StripeProvider({ apiKey: 'sk_test_x', baseUrl, timeoutMs: PATIENCE_MS, ...options });
    this.providers.push(provider);
    return provider;
  }

  /** From now on. */
  respondBy(respond: Respond): void {
    this.respond = respond;
  }

  answer(status: number, body: unknown, headers: Record<string, string> = {}): void {
    this.respondBy((response) => json(response, { status, body, headers }));
  }

  shows(intent: ShownIntent): void {
    this.answer(200, intent);
  }

  fails(status: number, error: ShownError, headers?: Record<string, string>): void {
    this.answer(status, { error }, headers);
  }

  /** The calls since the last time. */
  calls(): string[] {
    return this.seen.splice(0).map(({ call }) => call);
  }
}

export function json(
  response: ServerResponse,
  { status = 200, body, headers }: { status?: number; body: unknown; headers?: Record<string, string> },
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** An intent over 4200 cents. The types of the SDK check the names of its members. */
export const shownIntent = (status: Stripe.PaymentIntent.Status, more: ShownMembers = {}) => ({
  object: 'payment_intent' as const,
  id: 'pi_1',
  status,
  amount: 4_200,
  currency: 'usd',
  ...more,
});

export type ShownMembers = Partial<Pick<Stripe.PaymentIntent, 'id' | 'amount' | 'currency'>> & {
  last_payment_error?: Pick<Stripe.PaymentIntent.LastPaymentError, 'code' | 'decline_code'> | null;
  next_action?: Pick<Stripe.PaymentIntent.NextAction, 'redirect_to_url' | 'type'> | null;
};

/** The page of a bank. */
export const redirectTo = (url: string) => ({
  type: 'redirect_to_url',
  redirect_to_url: { url, return_url: 'https://shop.example/paid' },
});

/** The error that the work ends with. */
export function failureOfCall(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error,
  );
}
