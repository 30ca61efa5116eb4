/**
 * `POST /payments/{id}/captures`: takes money that is held, once under the client's key.
 *
 * The capture is written as pending while the payment is locked. So pending and finished captures together never exceed
 * what is held. Then the provider is called outside of any transaction. After that, the capture, the payment and the
 * answer are written together.
 */
import { Injectable } from '@nestjs/common';
import {
  alreadySubmitted,
  type Claim,
  type Done,
  Idempotency,
  type LeasedWork,
  type Outcome,
  refusalOf,
} from '@shop/idempotency';
import type { Tx } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { PATIENCE_OF_CLIENT_MS, ProviderCalls } from '../payments/provider-calls';
import { hasten } from '../payments/waiting-payments.repository';
import { type CaptureBody, captureIdOf, captureInProgress, pathOf, planCapture, type Taking } from './capture';
import { answerOfCapture } from './capture.view';
import {
  addCaptured,
  createCapture,
  findCapture,
  findCaptureAgeMs,
  lockHeld,
  settleCapture,
  sumCaptures,
} from './captures.repository';

export interface NewCapture extends CaptureBody {
  tenant: string;
  paymentId: string;
}

/** The data for the call to the provider. */
interface Begun extends Taking {
  /** The provider's name for the intent. */
  reference: string;
  currency: string;
  /** The age of the capture when this work was begun. */
  ageMs: number;
  /** The ledger has forgotten this capture. The provider may have been asked for it. */
  isKnown: boolean;
}

@Injectable()
export class CreateCapture {
  readonly perform: (claim: Claim, capture: NewCapture) => Promise<Outcome>;

  constructor(
    idempotency: Idempotency,
    private readonly provider: ProviderCalls,
  ) {
    this.perform = idempotency.leased('create-capture', (work, capture: NewCapture) => this.run(work, capture));
  }

  private async run(work: LeasedWork, capture: NewCapture): Promise<Done> {
    const { tenant, paymentId } = capture;
    const id = captureIdOf(work.id);
    const key = { tenant, id: paymentId };
    const begun = await work.reach('pending', (tx) => this.begin(tx, id, capture));
    if (begun === 'busy') return work.finish(() => ({ ...refusalOf(captureInProgress()), kept: false }));
    const { reference, currency, amount, final, ageMs, isKnown } = begun;
    const result = await this.provider.capture(
      { idempotencyKey: work.id, id, reference, amount, currency, final },
      {
        ids: { paymentId },
        askedBefore: work.attempt > 1 || isKnown,
        ageMs: ageMs + work.ageMs,
        tenant,
        patienceMs: PATIENCE_OF_CLIENT_MS,
      },
    );
    return work.finish(async (tx) => {
      await lockHeld(tx, key);
      if (result.outcome === 'captured') {
        addCaptured(tx, key, result);
        return answerOfCapture(await settleCapture(tx, { tenant, id }, 'succeeded'), false);
      }
      // Then the payment is not what it seems to be.
      if (result.isGone) await hasten(tx, key);
      return answerOfCapture(await settleCapture(tx, { tenant, id }, 'failed'), result.isGone);
    });
  }

  /** @throws Problem when this much may not be taken, or the ledger has forgotten a key that was used */
  private async begin(tx: Tx, id: string, { tenant, paymentId, ...body }: NewCapture): Promise<Begun | 'busy'> {
    // These are sent together and run in this order, so the sums are read under the lock.
    const [payment, others, known] = await Promise.all([
      lockHeld(tx, { tenant, id: paymentId }),
      sumCaptures(tx, tenant, paymentId),
      findCapture(tx, { tenant, id }),
    ]);
    const charge = payment && { reference: payment.providerReference!, currency: payment.currency };
    if (known) {
      const same = known.paymentId === paymentId && (body.amount ?? known.amount) === known.amount;
      if (known.status !== 'pending' || !same)
        throw alreadySubmitted(pathOf(known), 'this capture was made before; the status URL tells it as it is now');
      const ageMs = await findCaptureAgeMs(tx, { tenant, id });
      return { ...charge!, amount: known.amount, final: known.final, ageMs, isKnown: true };
    }
    const plan = planCapture(body, payment, others);
    if (plan === 'busy') return plan;
    if (plan instanceof Problem) throw plan;
    createCapture(tx, { tenant, id, paymentId, ...plan });
    return { ...charge!, ...plan, ageMs: 0, isKnown: false };
  }
}
