/**
 * Calls to the provider, sorted by their meaning for the money, counted and logged. No call is inside a transaction.
 */
import { Inject, Injectable } from '@nestjs/common';
import { counter, instant, type Logger } from '@shop/observability';
import { RetryableError, TerminalError } from '@shop/resilience';
import { LOGGER } from '@shop/service';
import { type ChargeRequest, type ChargeResult, PROVIDER, type Provider, type RefundRequest } from './provider';

export type RefundResult = { outcome: 'succeeded'; reference: string } | { outcome: 'refused' };

interface Asking {
  /** The ids of the work, for the log. */
  ids: { messageId?: string; paymentId: string };
  /** Whether the same was asked before and the answer was lost. Then a refusal does not tell whether money moved. */
  askedBefore: boolean;
}

const calls = counter('payment_provider_calls_total', 'Calls to the provider by what came of them', [
  'call',
  'outcome',
]);

/** In characters. Both texts come from the provider, so we do not control them. */
const MAX_REFERENCE_LENGTH = 200;
const MAX_REASON_LENGTH = 200;

/** Providers remember an idempotency key for a day. One hour of it is kept as a reserve. */
const PROVIDER_MEMORY_MS = 23 * 3_600_000;

@Injectable()
export class ProviderCalls {
  constructor(
    @Inject(PROVIDER) private readonly provider: Provider,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * If the provider does not accept a request, no money moved. The payment fails like a declined one.
   * @throws RetryableError when the outcome is unknown
   */
  charge(request: ChargeRequest, asking: Asking): Promise<ChargeResult> {
    return this.ask('charge', asking, async () => {
      try {
        const result = await this.provider.charge(request);
        return result.outcome === 'succeeded'
          ? { ...result, reference: asReference(result.reference) }
          : { ...result, reason: [...result.reason].slice(0, MAX_REASON_LENGTH).join('') };
      } catch (error) {
        this.passUnknown('charge', asking, error);
        return { outcome: 'declined', reason: 'refused_by_provider' };
      }
    });
  }

  /** @throws RetryableError when the outcome is unknown */
  refund(request: RefundRequest, asking: Asking): Promise<RefundResult> {
    return this.ask('refund', asking, async () => {
      try {
        const { reference } = await this.provider.refund(request);
        return { outcome: 'succeeded', reference: asReference(reference) };
      } catch (error) {
        this.passUnknown('refund', asking, error);
        return { outcome: 'refused' };
      }
    });
  }

  private async ask<R extends { outcome: string }>(call: string, { ids }: Asking, work: () => Promise<R>): Promise<R> {
    try {
      instant('call.before', ids);
      const result = await work();
      instant('call.after', ids);
      calls.inc({ call, outcome: result.outcome });
      return result;
    } catch (error) {
      calls.inc({ call, outcome: 'unknown' });
      this.logger.warn({ ...ids, reason: (error as Error).message }, `payment.${call}.unknown`);
      throw error;
    }
  }

  /** A refused request is our own mistake, so somebody should look at it. */
  private passUnknown(call: string, { ids, askedBefore }: Asking, error: unknown): void {
    if (!(error instanceof TerminalError)) throw error;
    this.logger.error({ ...ids, reason: error.message }, `payment.${call}.refused`);
    if (askedBefore)
      throw new RetryableError(`the provider refuses to tell what became of the ${call}`, { cause: error });
  }
}

/**
 * A shortened reference would name nothing, and nobody could use it to give money back.
 * @throws RetryableError for a text that cannot be a reference
 */
function asReference(reference: string): string {
  if (reference.length >= 1 && reference.length <= MAX_REFERENCE_LENGTH) return reference;
  throw new RetryableError(`the provider gave a reference of ${reference.length} characters: look it up there`);
}

/**
 * It is safe to ask again only while the provider remembers the key. After that, a call would be a second charge.
 * @param ageMs since the key was used for the first time, by the clock of the database
 * @throws RetryableError that leaves it to a person to check the provider's records
 */
export function assertRemembered(ageMs: number): void {
  if (ageMs < PROVIDER_MEMORY_MS) return;
  const hours = Math.floor(ageMs / 3_600_000);
  throw new RetryableError(`begun ${hours} hours ago, which the provider may have forgotten: look it up there`);
}
