/** Calls to the provider, sorted by what they mean for the money, counted and logged. Never inside a transaction. */
import { Inject, Injectable } from '@nestjs/common';
import { counter, instant, type Logger } from '@shop/observability';
import { RetryableError, TerminalError } from '@shop/resilience';
import { LOGGER } from '@shop/service';
import { type ChargeRequest, type ChargeResult, PROVIDER, type Provider, type RefundRequest } from './provider';

export type RefundResult = { outcome: 'succeeded'; reference: string } | { outcome: 'refused' };

interface Asking {
  /** Of what is being worked on, for the log. */
  ids: { messageId?: string; paymentId: string };
  /** Whether the same was asked before and the answer was lost: a refusal now says nothing of what it has moved. */
  askedBefore: boolean;
}

const calls = counter('payment_provider_calls_total', 'Calls to the provider by what came of them', [
  'call',
  'outcome',
]);

/** Characters. Both are words of the provider, which nobody here has a hand in. */
const MAX_REFERENCE_LENGTH = 200;
const MAX_REASON_LENGTH = 200;

/** Providers remember an idempotency key for a day; an hour of that is kept in hand. */
const PROVIDER_MEMORY_MS = 23 * 3_600_000;

@Injectable()
export class ProviderCalls {
  constructor(
    @Inject(PROVIDER) private readonly provider: Provider,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * A request that the provider does not accept moved no money: the payment fails like a declined one.
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

  /** A request that is refused is a mistake of ours, so somebody should look. */
  private passUnknown(call: string, { ids, askedBefore }: Asking, error: unknown): void {
    if (!(error instanceof TerminalError)) throw error;
    this.logger.error({ ...ids, reason: error.message }, `payment.${call}.refused`);
    if (askedBefore)
      throw new RetryableError(`the provider refuses to tell what became of the ${call}`, { cause: error });
  }
}

/**
 * A cut reference would name nothing, and money could not be given back by it.
 * @throws RetryableError for what cannot be a reference
 */
function asReference(reference: string): string {
  if (reference.length >= 1 && reference.length <= MAX_REFERENCE_LENGTH) return reference;
  throw new RetryableError(`the provider gave a reference of ${reference.length} characters: look it up there`);
}

/**
 * Asking again is safe only while the provider remembers the key: behind that it would be a second charge.
 * @param ageMs since the key was used for the first time, by the clock of the database
 * @throws RetryableError that leaves it to a person to look it up at the provider
 */
export function assertRemembered(ageMs: number): void {
  if (ageMs < PROVIDER_MEMORY_MS) return;
  const hours = Math.floor(ageMs / 3_600_000);
  throw new RetryableError(`begun ${hours} hours ago, which the provider may have forgotten: look it up there`);
}
