/**
 * One attempt at a charge, as leased work.
 *
 * First the charge gets a name: an intent, which moves no money. The name is stored, and only then is the provider asked
 * for the money. So money can have moved only under a name that we know. An attempt that finds a name asks the provider
 * what became of it. An attempt whose charge is not wanted any more gives the intent up, and never confirms it.
 */
import type { LeasedWork } from '@shop/idempotency';
import { isTooLate } from './asking-again';
import { type Capture, type Intent, NOTHING_TO_PAY } from './intent';
import { NEVER_CHARGED } from './payment';
import { UNDONE } from './payment-state';
import { type NamedPayment, namePayments } from './payments.repository';
import type { AskingForIntent, ProviderCalls } from './provider-calls';

export interface Charging extends Pick<AskingForIntent, 'ids' | 'patienceMs' | 'mayBeCharged'> {
  tenant: string;
  /** Of the payment. */
  id: string;
  amount: number;
  currency: string;
  source: string;
  /** Where the source was sealed for. */
  place: string;
  capture: Capture;
  /** The provider knows the charge by it. */
  idempotencyKey: string;
  /** The time since the payment was written, when this work was begun. */
  knownForMs: number;
  /** The name of the intent, if the payment has one already. */
  reference?: string;
}

/** What the recovery point keeps. */
type Named = NamedPayment & {
  /** Why there is no intent. */
  reason?: string;
};

/** The intent at the end of this attempt. @throws RetryableError when the outcome is unknown */
export async function charge(calls: ProviderCalls, work: LeasedWork, charging: Charging): Promise<Intent> {
  if (charging.amount === 0) return NOTHING_TO_PAY;
  const { tenant, id, idempotencyKey, source } = charging;
  const ageMs = charging.knownForMs + work.ageMs;
  const asking = { ...charging, ageMs, askedBefore: work.attempt > 1 || charging.mayBeCharged };
  let isNew = false;
  const name = async (): Promise<Intent> => {
    if (charging.reference !== undefined) return calls.retrieve(charging.reference, asking);
    if (work.undone && !charging.mayBeCharged) return { status: 'declined', reason: UNDONE, reference: '' };
    const intent = await calls.createIntent({ ...charging, paymentId: id }, asking);
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
