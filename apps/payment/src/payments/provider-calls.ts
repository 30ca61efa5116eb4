/**
 * Calls to the provider, sorted by their meaning for the money, counted and logged. No call is inside a transaction.
 * Every request goes through here, so none is repeated under a key that the provider may have forgotten.
 */
import { Inject, Injectable } from '@nestjs/common';
import { counter, instant, type Logger } from '@shop/observability';
import { Dependency, type OutsideCall, RetryableError, TerminalError, type Try } from '@shop/resilience';
import { Sealer } from '@shop/sealing';
import { LOGGER } from '@shop/service';
import { type Asked, isTooLate, type Memory, memoryOf } from './asking-again';
import type { Intent } from './intent';
import { NEVER_CHARGED } from './payment';
import {
  type Confirmation,
  type IntentRequest,
  MAX_CALLS,
  PROVIDER,
  type Provider,
  PROVIDER_TIMEOUT_MS,
  type RefundRequest,
} from './provider';

export type RefundResult = { outcome: 'succeeded'; reference: string } | { outcome: 'refused' };

export interface Asking {
  /** The ids of the work, for the log. */
  ids: { messageId?: string; paymentId: string };
  /** The calls of tenants are made in turn. */
  tenant: string;
  /** The longest wait for the turn. */
  patienceMs: number;
}

/** For a request that is protected by the provider's memory for keys. */
type AskingAgain = Asking & Asked;

export interface AskingForIntent extends AskingAgain {
  /** The provider may have been asked for the money without an intent: by an earlier release, or in a lost work. */
  mayBeCharged: boolean;
}

/** The source may be sealed. Only here is it opened. */
interface AskingToConfirm extends Asking {
  /** Where the source was sealed for. */
  place: string;
}

/** For a client that waits for its answer. */
export const PATIENCE_OF_CLIENT_MS = 5_000;
/** For a command. Its saga gives up a little later. */
export const PATIENCE_OF_SAGA_MS = 90_000;

/** Of a tenant. More than it can have open orders. */
const MAX_WAITING_CALLS = 20_000;

const calls = counter('payment_provider_calls_total', 'Calls to the provider by what came of them', [
  'call',
  'outcome',
]);

/** In characters. Both texts come from the provider, so we do not control them. */
const MAX_REFERENCE_LENGTH = 200;
const MAX_REASON_LENGTH = 200;

const REFUSED_BY_PROVIDER = 'refused_by_provider';

/** How often, for how long and how many at once the provider is called. Tests may set the number of tries. */
export const providerDependency = ({ maxTries }: { maxTries?: number } = {}): Dependency =>
  new Dependency({
    name: 'payment-provider',
    calls: MAX_CALLS,
    maxWaiting: MAX_WAITING_CALLS,
    timeoutMs: PROVIDER_TIMEOUT_MS,
    totalMs: PATIENCE_OF_SAGA_MS,
    maxTries,
  });

@Injectable()
export class ProviderCalls {
  constructor(
    @Inject(PROVIDER) private readonly provider: Provider,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly sealer: Sealer,
    private readonly dependency: Dependency,
  ) {}

  /**
   * Names a charge, which moves no money. If the provider does not accept the request, the payment fails like a declined
   * one. So does a charge that is too old to be made.
   * @throws RetryableError when the outcome is unknown
   */
  createIntent(request: IntentRequest, asking: AskingForIntent): Promise<Intent> {
    return this.ask('create', asking, async () => {
      const memory = memoryOf(asking);
      if (asking.mayBeCharged) {
        const find = () => this.reading(asking, () => this.provider.findIntent(request));
        const found = await this.lookUp('charge', { asking, memory }, find);
        if (found) return bounded(found);
        if (memory === 'fading') throw new RetryableError('the provider may have forgotten it, and may show it later');
      }
      if (isTooLate(asking)) return notCharged(NEVER_CHARGED);
      try {
        const { idempotencyKey } = request;
        return bounded(await this.keyed(asking, idempotencyKey, () => this.provider.createIntent(request)));
      } catch (error) {
        this.passUnknown('create', asking, error, asking.mayBeCharged);
        return notCharged(REFUSED_BY_PROVIDER);
      }
    });
  }

  /**
   * Asks for the money. If the provider does not accept this request, the intent is given up.
   * @throws RetryableError when the outcome is unknown, also while the source cannot be opened
   */
  confirm(request: Confirmation, asking: AskingToConfirm): Promise<Intent> {
    const { reference, idempotencyKey } = request;
    return this.ask('confirm', asking, async () => {
      try {
        const source = this.opened(request.source, asking);
        // The intent takes the money once. A provider may repeat a failure under its key, so each try has its own key.
        const confirm = ({ number }: Try) =>
          this.provider.confirm({ reference, source, idempotencyKey: `${idempotencyKey}.${number}` });
        return bounded(await this.reading(asking, confirm));
      } catch (error) {
        this.passUnknown('confirm', asking, error, false);
        const giveUp = () => this.provider.cancel({ reference, idempotencyKey: `${idempotencyKey}/refused` });
        // It may have been confirmed before. So when it cannot be given up, nobody knows.
        const left = await this.reading(asking, giveUp).catch((cause: unknown) =>
          this.passUnknown('cancel', asking, cause, true),
        );
        return left.status === 'cancelled' ? notCharged(REFUSED_BY_PROVIDER) : bounded(left);
      }
    });
  }

  /** The intent as it is now. @throws RetryableError when the provider does not tell */
  retrieve(reference: string, asking: Asking): Promise<Intent> {
    return this.ask('retrieve', asking, async () => {
      try {
        return bounded(await this.reading(asking, () => this.provider.retrieve(reference)));
      } catch (error) {
        return this.passUnknown('retrieve', asking, error, true);
      }
    });
  }

  /** Gives the intent up, or shows it as it is. @throws RetryableError when the provider does not tell */
  cancel(request: { reference: string; idempotencyKey: string }, asking: Asking): Promise<Intent> {
    return this.ask('cancel', asking, async () => {
      try {
        return bounded(await this.reading(asking, () => this.provider.cancel(request)));
      } catch (error) {
        return this.passUnknown('cancel', asking, error, true);
      }
    });
  }

  /**
   * A refund has to be given in the end. The provider shows refunds at once. So what it does not show may be asked for,
   * however old it is.
   * @throws RetryableError when the outcome is unknown
   */
  refund(request: RefundRequest, asking: AskingAgain): Promise<RefundResult> {
    return this.ask('refund', asking, async () => {
      const memory = memoryOf(asking);
      const find = () => this.reading(asking, () => this.provider.findRefund(request));
      const found = await this.lookUp('refund', { asking, memory }, find);
      if (found) return { outcome: 'succeeded', reference: asReference(found.reference) };
      let tries = 0;
      const refund = ({ number }: Try) => {
        tries = number;
        return this.provider.refund(request);
      };
      try {
        const { reference } = await this.keyed(asking, request.idempotencyKey, refund);
        return { outcome: 'succeeded', reference: asReference(reference) };
      } catch (error) {
        this.passUnknown('refund', asking, error, asking.askedBefore || tries > 1);
        return { outcome: 'refused' };
      }
    });
  }

  /**
   * An operator can bring a lost key back. Until then the charge waits: a customer is not declined for what is our fault.
   * @throws RetryableError when it cannot be opened
   */
  private opened(source: string, { ids, place }: AskingToConfirm): string {
    try {
      return this.sealer.open(source, place);
    } catch (cause) {
      this.logger.error({ ...ids, reason: (cause as Error).message }, 'payment.source.unopened');
      throw new RetryableError('the source cannot be opened', { cause });
    }
  }

  private async ask<R extends Intent | RefundResult>(
    call: string,
    { ids }: Asking,
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
  private keyed<R>(asking: Asking, idempotencyKey: string, work: (attempt: Try) => Promise<R>): Promise<R> {
    return this.outside(asking, { idempotencyKey }, work);
  }

  /** A request that reads, or sets what it names. */
  private reading<R>(asking: Asking, work: (attempt: Try) => Promise<R>): Promise<R> {
    return this.outside(asking, { isIdempotent: true }, work);
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
  private async lookUp<Found>(
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
  private passUnknown(call: string, asking: Asking, error: unknown, inDoubt: true): never;
  private passUnknown(call: string, asking: Asking, error: unknown, inDoubt: boolean): void;
  private passUnknown(call: string, { ids }: Asking, error: unknown, inDoubt: boolean): void {
    if (!(error instanceof TerminalError)) throw error;
    this.logger.error({ ...ids, reason: error.message }, `payment.${call}.refused`);
    if (inDoubt) throw new RetryableError(`the provider refuses to tell what became of the ${call}`, { cause: error });
  }
}

/** An intent that never came to be. */
const notCharged = (reason: string): Intent => ({ status: 'declined', reason, reference: '' });

function bounded(intent: Intent): Intent {
  asReference(intent.reference);
  return intent.status === 'declined'
    ? { ...intent, reason: [...intent.reason].slice(0, MAX_REASON_LENGTH).join('') }
    : intent;
}

/**
 * A shortened reference would name nothing, and nobody could use it to give money back.
 * @throws RetryableError for a text that cannot be a reference
 */
function asReference(reference: string): string {
  if (reference.length >= 1 && reference.length <= MAX_REFERENCE_LENGTH) return reference;
  throw new RetryableError(`the provider gave a reference of ${reference.length} characters: look it up there`);
}
