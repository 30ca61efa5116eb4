/**
 * Calls to the provider, sorted by their meaning for the money, counted and logged. No call is inside a transaction.
 * Every request goes through here, so none is repeated under a key that the provider may have forgotten.
 */
import { Inject, Injectable } from '@nestjs/common';
import { type Logger } from '@shop/observability';
import { Dependency, RetryableError, type Try } from '@shop/resilience';
import { Sealer } from '@shop/sealing';
import { LOGGER } from '@shop/service';
import { isTooLate, memoryOf } from './asking-again';
import type { Intent } from './intent';
import { NEVER_CHARGED } from './payment';
import {
  type CaptureRequest,
  type Confirmation,
  type IntentRequest,
  MAX_CALLS,
  PROVIDER,
  type Provider,
  PROVIDER_TIMEOUT_MS,
  type RefundRequest,
  type RefundState,
  type ShownDispute,
  type ShownRefund,
} from './provider';
import { type Asking, type AskingAgain, ProviderDoor } from './provider-door';

export type RefundResult = { outcome: 'succeeded'; reference: string; status: RefundState } | { outcome: 'refused' };

/** `captured`: all that was taken so far. `isOver`: nothing more can be taken. */
export type CaptureResult =
  | { outcome: 'captured'; captured: number; isOver: boolean }
  /** `isGone`: the money is not held any more. */
  | { outcome: 'refused'; isGone: boolean };

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
  private readonly door: ProviderDoor;

  constructor(
    @Inject(PROVIDER) private readonly provider: Provider,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly sealer: Sealer,
    dependency: Dependency,
  ) {
    this.door = new ProviderDoor(logger, dependency);
  }

  /**
   * Names a charge, which moves no money. If the provider does not accept the request, the payment fails like a declined
   * one. So does a charge that is too old to be made.
   * @throws RetryableError when the outcome is unknown
   */
  createIntent(request: IntentRequest, asking: AskingForIntent): Promise<Intent> {
    return this.door.ask('create', asking, async () => {
      const memory = memoryOf(asking);
      if (asking.mayBeCharged) {
        const find = () => this.door.reading(asking, () => this.provider.findIntent(request));
        const found = await this.door.lookUp('charge', { asking, memory }, find);
        if (found) return bounded(found);
        if (memory === 'fading') throw new RetryableError('the provider may have forgotten it, and may show it later');
      }
      if (isTooLate(asking)) return notCharged(NEVER_CHARGED);
      try {
        const { idempotencyKey } = request;
        return bounded(await this.door.keyed(asking, idempotencyKey, () => this.provider.createIntent(request)));
      } catch (error) {
        this.door.passUnknown('create', asking, error, asking.mayBeCharged);
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
    return this.door.ask('confirm', asking, async () => {
      try {
        const source = this.opened(request.source, asking);
        // The intent takes the money once. A provider may repeat a failure under its key, so each try has its own key.
        const confirm = ({ number }: Try) =>
          this.provider.confirm({ reference, source, idempotencyKey: `${idempotencyKey}.${number}` });
        return bounded(await this.door.reading(asking, confirm));
      } catch (error) {
        this.door.passUnknown('confirm', asking, error, false);
        const giveUp = () => this.provider.cancel({ reference, idempotencyKey: `${idempotencyKey}/refused` });
        // It may have been confirmed before. So when it cannot be given up, nobody knows.
        const left = await this.door.inDoubt('cancel', asking, giveUp);
        return left.status === 'cancelled' ? notCharged(REFUSED_BY_PROVIDER) : bounded(left);
      }
    });
  }

  /** The intent as it is now. @throws RetryableError when the provider does not tell */
  retrieve(reference: string, asking: Asking): Promise<Intent> {
    const look = () => this.provider.retrieve(reference);
    return this.door.ask('retrieve', asking, async () => bounded(await this.door.inDoubt('retrieve', asking, look)));
  }

  /**
   * Takes a part of the money that is held. The intent carries our name for each capture. So a capture that it does not
   * carry was not made, however old it is.
   * @throws RetryableError when the outcome is unknown
   */
  capture(request: CaptureRequest, asking: AskingAgain): Promise<CaptureResult> {
    return this.door.ask('capture', asking, async () => {
      const memory = memoryOf(asking);
      const look = () => this.door.reading(asking, () => this.provider.retrieve(request.reference));
      const seen = await this.door.lookUp('capture', { asking, memory }, look);
      if (seen?.captures?.includes(request.id)) return captureOf(seen, request);
      let tries = 0;
      const capture = ({ number }: Try) => {
        tries = number;
        return this.provider.capture(request);
      };
      try {
        return captureOf(await this.door.keyed(asking, request.idempotencyKey, capture), request);
      } catch (error) {
        this.door.passUnknown('capture', asking, error, memory === 'remembered' || tries > 1);
        return { outcome: 'refused', isGone: false };
      }
    });
  }

  /** @throws RetryableError when the provider does not tell */
  retrieveRefund(reference: string, asking: Asking): Promise<ShownRefund> {
    const look = () => this.door.reading(asking, () => this.provider.retrieveRefund(reference));
    return this.door.ask('retrieve-refund', asking, look);
  }

  /** @throws RetryableError when the provider does not tell */
  dispute(id: string, about: Omit<Asking, 'ids'>): Promise<ShownDispute> {
    const asking = { ...about, ids: { disputeId: id } };
    return this.door.ask('dispute', asking, () => this.door.reading(asking, () => this.provider.dispute(id)));
  }

  /** @throws RetryableError when the provider does not tell */
  async disputesOf(reference: string, asking: Asking): Promise<ShownDispute[]> {
    return this.door.reading(asking, () => this.provider.disputesOf(reference));
  }

  /** Gives the intent up, or shows it as it is. @throws RetryableError when the provider does not tell */
  cancel(request: { reference: string; idempotencyKey: string }, asking: Asking): Promise<Intent> {
    const giveUp = () => this.provider.cancel(request);
    return this.door.ask('cancel', asking, async () => bounded(await this.door.inDoubt('cancel', asking, giveUp)));
  }

  /**
   * A refund has to be given in the end. The provider shows refunds at once. So what it does not show may be asked for,
   * however old it is.
   * @throws RetryableError when the outcome is unknown
   */
  refund(request: RefundRequest, asking: AskingAgain): Promise<RefundResult> {
    return this.door.ask('refund', asking, async () => {
      const memory = memoryOf(asking);
      const find = () => this.door.reading(asking, () => this.provider.findRefund(request));
      const found = await this.door.lookUp('refund', { asking, memory }, find);
      if (found) return accepted(found);
      let tries = 0;
      const refund = ({ number }: Try) => {
        tries = number;
        return this.provider.refund(request);
      };
      try {
        return accepted(await this.door.keyed(asking, request.idempotencyKey, refund));
      } catch (error) {
        this.door.passUnknown('refund', asking, error, asking.askedBefore || tries > 1);
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
}

const accepted = ({ reference, status }: ShownRefund): RefundResult => ({
  outcome: 'succeeded',
  reference: asReference(reference),
  status,
});

function captureOf(intent: Intent, { id }: CaptureRequest): CaptureResult {
  const { status, captured = 0, captures = [] } = intent;
  if (!captures.includes(id)) return { outcome: 'refused', isGone: status !== 'authorized' };
  return { outcome: 'captured', captured, isOver: status !== 'authorized' };
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
