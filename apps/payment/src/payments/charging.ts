/**
 * One attempt at a charge, as leased work.
 *
 * First the charge gets a name: an intent, which moves no money. The name is stored, and only then is the provider asked
 * for the money. So money can have moved only under a name that we know. An attempt that finds a name asks the provider
 * what became of it. An attempt whose charge is not wanted any more gives the intent up, and never confirms it.
 */
import type { LeasedWork } from '@shop/idempotency';
import { RetryableError } from '@shop/resilience';
import { isTooLate } from './asking-again';
import { type Capture, type Intent, NOTHING_TO_PAY } from './intent';
import { NEVER_CHARGED, type Payment } from './payment';
import { begunPayment, type Change, changeBy, UNDONE } from './payment-state';
import { type NamedPayment, namePayments } from './payments.repository';
import type { AskingForIntent, ProviderCalls } from './provider-calls';

/** A payment that was there before its work was begun. */
export interface KnownPayment {
  /** The name of its intent, if it has one. */
  reference: string | null;
  /** False for a payment of a release that asked for the money before the charge had a name. */
  isNamedFirst: boolean;
}

export const knownFrom = ({ providerReference, chargeId }: Payment): KnownPayment => ({
  reference: providerReference,
  isNamedFirst: chargeId !== null,
});

export interface Charging extends Pick<AskingForIntent, 'ids' | 'patienceMs'> {
  tenant: string;
  /** Of the payment. */
  id: string;
  amount: number;
  currency: string;
  source: string;
  /** Where the source was sealed for. */
  place: string;
  /** Absent in work of a release that asked for the money before the charge had a name. */
  capture?: Capture;
  /** The provider knows the charge by it. */
  idempotencyKey: string;
  /** The time since the payment was written, when this work was begun. */
  knownForMs: number;
  known?: KnownPayment;
}

/** What came of a charge. */
export interface Charged {
  change: Change;
  /** The name of the intent; null if there is none. */
  reference: string | null;
}

/** What the recovery point keeps. */
type Named = NamedPayment & {
  /** Why there is no intent. */
  reason?: string;
};

/** @throws RetryableError when the outcome is unknown */
export async function charge(calls: ProviderCalls, work: LeasedWork, charging: Charging): Promise<Charged> {
  const intent = charging.amount === 0 ? NOTHING_TO_PAY : await askForMoney(calls, work, charging);
  const change = changeBy(begunPayment({ amount: charging.amount, undone: work.undone }), intent);
  if (!change) throw new RetryableError(`the charge ${charging.id} is ${intent.status}`);
  return { change, reference: intent.reference || null };
}

/** The intent at the end of this attempt. */
async function askForMoney(calls: ProviderCalls, work: LeasedWork, charging: Charging): Promise<Intent> {
  const { tenant, id, idempotencyKey, source, capture, known } = charging;
  const mayBeCharged = capture === undefined || known?.isNamedFirst === false;
  const ageMs = charging.knownForMs + work.ageMs;
  const asking = { ...charging, ageMs, mayBeCharged, askedBefore: work.attempt > 1 || mayBeCharged };
  let isNew = false;
  const name = async (): Promise<Intent> => {
    // It is looked at below, like every name that an earlier attempt has found.
    if (known?.reference) return { status: 'unconfirmed', reference: known.reference };
    if (work.undone && !mayBeCharged) return { status: 'declined', reason: UNDONE, reference: '' };
    const wanted = { ...charging, capture: capture ?? 'automatic', paymentId: id };
    const intent = await calls.createIntent(wanted, asking);
    isNew = intent.status === 'unconfirmed';
    return intent;
  };
  const named = await work.callWith('intent', name, namePayments, (intent): Named => {
    const reason = intent.reference === '' && intent.status === 'declined' ? intent.reason : undefined;
    return { tenant, id, reference: intent.reference || null, reason };
  });
  const { reference, reason = NEVER_CHARGED } = named;
  if (reference === null)
    return reason === UNDONE ? { status: 'cancelled', reference: '' } : { status: 'declined', reason, reference: '' };
  const giveUp = () => calls.cancel({ reference, idempotencyKey: `${idempotencyKey}/cancel` }, asking);
  if (work.undone) return giveUp();
  if (!isNew) {
    const seen = await calls.retrieve(reference, asking);
    if (seen.status !== 'unconfirmed') return seen;
    if (isTooLate(asking)) {
      const left = await giveUp();
      return left.status === 'cancelled' ? { status: 'declined', reason: NEVER_CHARGED, reference } : left;
    }
    // The look took its time. Whoever undoes the charge meanwhile does not want it to be made.
    await work.reach(`seen/${work.attempt}`, () => Promise.resolve(null));
    if (work.undone) return giveUp();
  }
  // A provider may repeat a failure under its key. The intent protects by itself, so each attempt has its own key.
  return calls.confirm({ reference, source, idempotencyKey: `${idempotencyKey}/confirm/${work.attempt}` }, asking);
}
