/**
 * The tax service outside: it tells the rates of an invoice, and is told of what was invoiced and credited.
 *
 * It is slow and fails often, so it is called as R43 says: two seconds for a try, at most four tries, and between them a
 * random wait of up to 200, 400 and 800 ms. No call is inside a transaction.
 */
import { createHash } from 'node:crypto';
import { MAX_LINES, SKU } from '@shop/contracts';
import { Dependency, type OutsideAnswer, OutsideClient, RetryableError, TerminalError } from '@shop/resilience';
import { validate } from '@shop/validation';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsInt, Matches, Max, Min, ValidateNested } from 'class-validator';
import { sum } from './share-out';
import { type Rate, type TaxOfRate, WHOLE } from './totals';

export interface TaxOptions {
  /** Where its API is, without the version. Without it, the service is always away. */
  url?: string;
  key?: string;
  /** Tests pass one with chances of their own. */
  dependency?: Dependency;
}

export interface QuoteRequest {
  tenant: string;
  currency: string;
  /** Of the customer, ISO 3166-1 alpha-2, if it is known. */
  country?: string;
  /** `gross` is that of all pieces together, after discounts. */
  lines: readonly { sku: string; quantity: number; gross: number }[];
}

export interface TaxTransaction {
  tenant: string;
  /** Of the invoice. */
  number: string;
  currency: string;
  rates: readonly TaxOfRate[];
}

export interface TaxCredit extends TaxTransaction {
  /** The number of the credit note. */
  reference: string;
}

class QuotedLine {
  @Matches(SKU) sku: string;
  @IsInt() @Min(0) @Max(WHOLE) rate: Rate;
}

/** What is used of an answer. The tax is reckoned here, from all lines of a rate together. */
class Quote {
  @IsArray() @ArrayMaxSize(MAX_LINES) @ValidateNested({ each: true }) @Type(() => QuotedLine) lines: QuotedLine[];
}

/** A burst waits here for its turn, and each call has a socket. */
const CALLS_AT_ONCE = 64;
/** Of a tenant. Who waits longer than all tries take is told that the service is away. */
const MAX_WAITING = 2_000;
const TIMEOUT_MS = 2_000;
const MAX_TRIES = 4;
const BACKOFF = { firstMs: 200, maxMs: 800, factor: 2 };
/** Four tries and the longest waits between them. */
const TOTAL_MS = 9_400;

export const taxDependency = (chance: ConstructorParameters<typeof Dependency>[1] = {}): Dependency =>
  new Dependency(
    {
      name: 'tax',
      calls: CALLS_AT_ONCE,
      maxWaiting: MAX_WAITING,
      timeoutMs: TIMEOUT_MS,
      totalMs: TOTAL_MS,
      maxTries: MAX_TRIES,
      backoff: BACKOFF,
    },
    chance,
  );

/** Thrown when the tax service gave no answer that can be used. The same call may succeed later. */
export class TaxUnavailableError extends RetryableError {}

/** Thrown when the tax service does not take what we ask, and will not take it later. `code` is a word of its own or a status. */
export class TaxRefusedError extends TerminalError {
  constructor(readonly code: string) {
    super(`the tax service has refused: ${code}`);
    this.name = 'TaxRefusedError';
  }
}

export class Tax {
  private readonly client: OutsideClient;

  constructor(private readonly options: TaxOptions) {
    this.client = new OutsideClient(options.dependency ?? taxDependency());
  }

  /**
   * The rate of each line, in their order.
   * @throws TaxUnavailableError TaxRefusedError
   */
  async quote({ tenant, currency, country, lines }: QuoteRequest): Promise<Rate[]> {
    const asked = lines.map(({ sku, quantity, gross }) => ({ sku, quantity, amount: gross }));
    const body = { currency, country, lines: asked };
    // It reads, so any name will do. The service does not look at it.
    const answer = await this.ask('POST', '/quotes', { tenant, body, idempotencyKey: nameOf(body) });
    const quote = read(Quote, answer.body);
    if (!quote || !isOf(quote, lines))
      throw new TaxUnavailableError('the tax service gave an answer to nothing we asked');
    return quote.lines.map(({ rate }) => rate);
  }

  /**
   * Tells that an invoice was made. Telling it again changes nothing.
   * @throws TaxUnavailableError TaxRefusedError
   */
  async commit({ tenant, number, currency, rates }: TaxTransaction): Promise<void> {
    const body = { currency, rates };
    await this.ask('PUT', `/transactions/${nameAtTax(tenant, number)}`, { tenant, body });
  }

  /**
   * Tells that a credit note was made. Telling it again changes nothing.
   * @throws TaxUnavailableError TaxRefusedError
   */
  async refund({ tenant, number, reference, currency, rates }: TaxCredit): Promise<void> {
    const amount = sum(rates.map(({ gross }) => gross));
    const body = { reference, currency, amount, rates };
    const path = `/transactions/${nameAtTax(tenant, number)}/refunds`;
    await this.ask('POST', path, { tenant, body, idempotencyKey: `${tenant}.${reference}` });
  }

  private async ask(method: string, path: string, { tenant, body, idempotencyKey }: Asked): Promise<OutsideAnswer> {
    const { url, key } = this.options;
    if (url === undefined) throw new TaxUnavailableError('the tax service has no address here');
    const answer = await this.client
      .request(`${url.replace(/\/+$/, '')}/v1${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify(body),
        turn: tenant,
        idempotencyKey,
      })
      .catch((cause: unknown) => {
        const { retryAfterMs } = failureIn(cause);
        throw new TaxUnavailableError('the tax service is away', { cause, retryAfterMs });
      });
    const objection = objectionIn(answer);
    if (objection) throw objection;
    return answer;
  }
}

interface Asked {
  tenant: string;
  body: object;
  idempotencyKey?: string;
}

/** How long it wants to be left alone, if it has said so. */
const failureIn = (cause: unknown): { retryAfterMs?: number } => (cause instanceof RetryableError ? cause : {});

/** A word of the service that may be logged and kept. */
const WORD = /^[a-z_]{1,60}$/;
/** The service has heard it before: under another try, or before we were killed. */
const DUPLICATE = 'duplicate';

function objectionIn({ status, body }: OutsideAnswer): Error | undefined {
  if (status >= 200 && status <= 299) return undefined;
  const code = codeIn(body);
  if (status === 409 && code === DUPLICATE) return undefined;
  // A wrong key or a wrong address here is no word about this invoice.
  if (status < 400 || status === 401 || status === 403 || (status === 404 && code === undefined)) {
    return new TaxUnavailableError(`the tax service has answered ${status}`);
  }
  return new TaxRefusedError(code ?? `status_${status}`);
}

/** Numbers of invoices are those of a tenant, and the account at the tax service is that of the whole shop. */
const nameAtTax = (tenant: string, number: string): string => encodeURIComponent(`${tenant}.${number}`);

const nameOf = (body: object): string => createHash('sha256').update(JSON.stringify(body)).digest('base64url');

const isOf = (quote: Quote, lines: QuoteRequest['lines']): boolean =>
  quote.lines.length === lines.length && quote.lines.every(({ sku }, index) => sku === lines[index]!.sku);

function read<T extends object>(type: new () => T, body: string): T | undefined {
  const answer = validate(type, jsonIn(body), { unknownProperties: 'drop' });
  return answer.ok ? answer.value : undefined;
}

function codeIn(body: string): string | undefined {
  const answer = jsonIn(body);
  const code = typeof answer === 'object' && answer !== null && 'code' in answer ? answer.code : undefined;
  return typeof code === 'string' && WORD.test(code) ? code : undefined;
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
