/** What a request does to a payment intent, with the charge and the money that follow from it. */
import { Injectable } from '@nestjs/common';
import { type Answer, type Call, refusal } from './answer';
import { feeOf, newTransaction } from './balance-transaction';
import { Books, type Decision } from './books';
import { chargeAfter, newCharge, type Charge } from './charge';
import { disputeOf } from './disputes';
import type { Happening } from './event';
import { type Action, type Confirmation, decide, type Refusal, type Step } from './intent-states';
import {
  type CancellationReason,
  type CaptureForm,
  type IntentForm,
  newPaymentIntent,
  type PaymentIntent,
} from './payment-intent';
import { sourceOf } from './sources';
import type { StripeErrorBody } from './stripe-error';

/** Where the page of the bank for an intent is. */
export type PageUrl = (intentId: string) => string;

export interface NewIntent {
  form: IntentForm;
  /** When it is confirmed in the same request. */
  confirmation?: Confirmation;
}

type Answered = Decision & { answer: Answer };

@Injectable()
export class Intents {
  constructor(private readonly books: Books) {}

  /** 200 with the intent, or 402 when the card is declined. @throws StripeError for a key used for something else. */
  create(call: Call, { form, confirmation }: NewIntent, pageUrl: PageUrl): Answer {
    return this.books.once(call, () => {
      const { newId, nowMs } = this.books.world;
      const intent = newPaymentIntent(form, { id: newId('pi'), nowMs: nowMs() });
      const created: Happening = ['payment_intent.created', intent];
      if (!confirmation) return { answer: { status: 200, body: intent }, kept: [intent], happened: [created] };
      const decision = this.decideOn(intent, { type: 'confirm', ...confirmation, pageUrl: pageUrl(intent.id) });
      return { ...decision, happened: [created, ...(decision.happened ?? [])] };
    });
  }

  /** As above; 400 when the intent cannot be confirmed. @throws StripeError also for an unknown intent. */
  confirm(call: Call, id: string, confirmation: Confirmation, pageUrl: PageUrl): Answer {
    return this.act(call, id, { type: 'confirm', ...confirmation, pageUrl: pageUrl(id) });
  }

  capture(call: Call, id: string, captured: CaptureForm): Answer {
    return this.act(call, id, { type: 'capture', ...captured });
  }

  cancel(call: Call, id: string, reason: CancellationReason | null): Answer {
    return this.act(call, id, { type: 'cancel', reason, nowMs: this.books.world.nowMs() });
  }

  /** What happens outside: the customer or the bank acts. Undefined when the intent is not in a state for it. */
  happen(id: string, what: 'approve' | 'decline' | 'settle' | 'fail' | 'expire'): PaymentIntent | undefined {
    const intent = this.books.intents.get(id, 'intent');
    const nowMs = this.books.world.nowMs();
    const step = decide(intent, what === 'expire' ? { type: 'cancel', reason: 'automatic', nowMs } : { type: what });
    if (typeof step === 'string') return undefined;
    const { changed, decision } = this.consequences(intent, step);
    this.books.record(decision);
    return changed;
  }

  private act(call: Call, id: string, action: Action): Answer {
    return this.books.once(call, () => this.decideOn(this.books.intents.get(id, 'intent'), action));
  }

  private decideOn(intent: PaymentIntent, action: Action): Answered {
    const step = decide(intent, action);
    if (typeof step === 'string') return { answer: refusal(errorOf(step, intent, action.type)) };
    const { changed, decision } = this.consequences(intent, step);
    const { failure } = step;
    if (failure) return { ...decision, answer: refusal({ ...failure, payment_intent: changed }, 402) };
    return { ...decision, answer: { status: 200, body: changed } };
  }

  private consequences(before: PaymentIntent, step: Step): { changed: PaymentIntent; decision: Decision } {
    const charge = this.chargeOf(before, step);
    const changed = charge ? { ...step.intent, latest_charge: charge.id } : step.intent;
    const happened: Happening[] = step.event ? [[step.event, changed]] : [];
    const received = changed.amount_received - before.amount_received;
    if (!charge || received === 0) {
      return { changed, decision: { kept: charge ? [changed, charge] : [changed], happened } };
    }
    const { kept, happened: more } = this.received(charge, received, before.status === 'requires_capture');
    return { changed, decision: { kept: [changed, ...kept], happened: [...happened, ...more] } };
  }

  private received(charge: Charge, amount: number, wasHeld: boolean): Required<Pick<Decision, 'kept' | 'happened'>> {
    const { newId, nowMs } = this.books.world;
    const { id: source, currency } = charge;
    const movement = { type: 'charge', source, amount, fee: feeOf(amount), currency } as const;
    const transaction = newTransaction({ ...movement, id: newId('txn'), nowMs: nowMs() });
    const paid: Charge = { ...charge, balance_transaction: transaction.id };
    const happened: Happening[] = wasHeld ? [['charge.captured', paid]] : [];
    const complains = !paid.disputed && sourceOf(paid.payment_method)?.disputes;
    if (!complains) return { kept: [paid, transaction], happened };
    const disputed = disputeOf(paid, { amount, reason: 'fraudulent' }, this.books.world);
    return { kept: [transaction, ...disputed.kept], happened: [...happened, ...disputed.happened] };
  }

  private chargeOf(before: PaymentIntent, { intent, attempted }: Step): Charge | undefined {
    const { newId, nowMs } = this.books.world;
    if (attempted !== undefined) return newCharge(intent, { id: newId('ch'), token: attempted, nowMs: nowMs() });
    // An attempt that did not get as far as the card, such as a declined authentication, leaves the charge alone.
    if (before.status !== 'processing' && before.status !== 'requires_capture') return undefined;
    const charge = this.books.charges.find(before.latest_charge ?? '');
    return charge && chargeAfter(charge, intent);
  }
}

function errorOf(why: Refusal, intent: PaymentIntent, verb: string): StripeErrorBody['error'] {
  const type = 'invalid_request_error';
  switch (why) {
    case 'unexpected_state': {
      const message = `You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`;
      return { type, code: 'payment_intent_unexpected_state', message, payment_intent: intent };
    }
    case 'source_missing': {
      const message = `You cannot ${verb} this PaymentIntent because it's missing a payment method.`;
      return { type, code: 'payment_intent_unexpected_state', message, payment_intent: intent };
    }
    case 'more_than_held': {
      const message = `The amount to capture is more than the ${intent.amount_capturable} that can be captured.`;
      return { type, code: 'amount_too_large', param: 'amount_to_capture', message };
    }
    case 'nothing_to_capture': {
      const message = 'The amount to capture must be at least 1.';
      return { type, code: 'parameter_invalid_integer', param: 'amount_to_capture', message };
    }
    case 'captured_once_only': {
      const message = 'Only an intent with card.request_multicapture can be captured more than once.';
      return { type, code: 'parameter_invalid', param: 'final_capture', message };
    }
  }
}
