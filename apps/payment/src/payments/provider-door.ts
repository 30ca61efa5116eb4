/** The way out to the provider: in turn, within its time, tried again where that is safe, counted and logged. */
import { counter, instant, type Logger } from '@shop/observability';
import { type Dependency, type OutsideCall, RetryableError, TerminalError, type Try } from '@shop/resilience';
import { type Asked, type Memory } from './asking-again';
import { PROVIDER_TIMEOUT_MS } from './provider';

export interface Asking {
  /** The ids of the work, for the log. */
  ids: { messageId?: string; paymentId?: string; disputeId?: string };
  /** The calls of tenants are made in turn. */
  tenant: string;
  /** The longest wait for the turn. */
  patienceMs: number;
}

/** For a request that is protected by the provider's memory for keys. */
export type AskingAgain = Asking & Asked;

const calls = counter('payment_provider_calls_total', 'Calls to the provider by what came of them', [
  'call',
  'outcome',
]);

export class ProviderDoor {
  constructor(
    private readonly logger: Logger,
    private readonly dependency: Dependency,
  ) {}

  /** Counts and logs what came of a request. */
  async ask<R extends { status: string } | { outcome: string }>(
    call: string,
    { ids }: Pick<Asking, 'ids'>,
    work: () => Promise<R>,
  ): Promise<R> {
    try {
      const result = await work();
      calls.inc({ call, outcome: 'status' in result ? result.status : result.outcome });
      return result;
    } catch (error) {
      calls.inc({ call, outcome: 'unknown' });
      this.logger.warn({ ...ids, reason: (error as Error).message }, `payment.${call}.unknown`);
      throw error;
    }
  }

  /** A request that does once what it does, because of its key. */
  keyed<R>(asking: Asking, idempotencyKey: string, work: (attempt: Try) => Promise<R>): Promise<R> {
    return this.outside(asking, { idempotencyKey }, work);
  }

  /** A request that reads, or sets what it names. */
  reading<R>(asking: Asking, work: (attempt: Try) => Promise<R>): Promise<R> {
    return this.outside(asking, { isIdempotent: true }, work);
  }

  /** The same where an earlier request may have moved money, so that a refusal tells nothing. */
  inDoubt<R>(call: string, asking: Asking, work: () => Promise<R>): Promise<R> {
    return this.reading(asking, work).catch((error: unknown) => this.passUnknown(call, asking, error, true));
  }

  /** Only a call that has its turn is made, so its time limit does not run while it waits for a connection. */
  private outside<R>(
    { ids, tenant, patienceMs }: Asking,
    safety: Pick<OutsideCall, 'idempotencyKey' | 'isIdempotent'>,
    work: (attempt: Try) => Promise<R>,
  ): Promise<R> {
    const attempt = async (one: Try) => {
      instant('call.before', ids);
      const result = await work(one);
      instant('call.after', ids);
      return result;
    };
    // The provider answers 409 while another request under the key, or on the same intent, is in work.
    const limits = { turn: tenant, maxWaitMs: patienceMs, totalMs: patienceMs + PROVIDER_TIMEOUT_MS };
    return this.dependency.call(attempt, { ...limits, ...safety, isConflictSafe: true });
  }

  /**
   * What the provider shows of an earlier request. While the provider remembers the key, the key protects alone, so a
   * look-up may fail.
   * @throws RetryableError when the look-up failed and the key does not protect any more
   */
  async lookUp<Found>(
    call: string,
    { asking, memory }: { asking: AskingAgain; memory: Memory },
    find: () => Promise<Found | undefined>,
  ): Promise<Found | undefined> {
    if (memory === 'new') return undefined;
    try {
      const found = await find();
      if (found) this.logger.info({ ...asking.ids }, `payment.${call}.found`);
      return found;
    } catch (cause) {
      if (memory === 'remembered') return undefined;
      const hours = Math.floor(asking.ageMs / 3_600_000);
      throw new RetryableError(`begun ${hours} hours ago, and the provider does not tell what became of it`, { cause });
    }
  }

  /**
   * Passes on every error but a refusal. A refused request is our own mistake, so somebody should look at it.
   * @param inDoubt an earlier request may have moved money, so a refusal says nothing about it
   */
  passUnknown(call: string, asking: Asking, error: unknown, inDoubt: true): never;
  passUnknown(call: string, asking: Asking, error: unknown, inDoubt: boolean): void;
  passUnknown(call: string, { ids }: Asking, error: unknown, inDoubt: boolean): void {
    if (!(error instanceof TerminalError)) throw error;
    this.logger.error({ ...ids, reason: error.message }, `payment.${call}.refused`);
    if (inDoubt) throw new RetryableError(`the provider refuses to tell what became of the ${call}`, { cause: error });
  }
}
