/** A charge or refund command as read from its message. */
import { ChargePayment, type ChargePaymentBody, RefundPayment, type RefundPaymentBody } from '@shop/contracts';
import { type Answer, type Claim, fingerprintOf } from '@shop/idempotency';
import { bodyOf, type Message, type Reply } from '@shop/messaging';
import { paymentIdOf } from './payment';

/** The scope of every command in this service's ledger. */
export const SCOPE = 'payment';

interface Common {
  claim: Claim;
  /** The id of the charge command: this one, or the one to be given back. */
  chargeId: string;
  tenant: string;
  paymentId: string;
}

export type PaymentCommand =
  (Common & { kind: 'charge'; body: ChargePaymentBody }) | (Common & { kind: 'refund'; body: RefundPaymentBody });

export const succeeded = (result: Record<string, unknown>): Reply => ({ outcome: 'succeeded', result });
export const refused = (reason: string): Reply => ({ outcome: 'refused', reason });
/** Refused unread: an earlier delivery may have been read and carried out. */
export const refusedInDoubt = (reason: string): Reply => ({ outcome: 'refused', reason, inDoubt: true });

/** A command that we do not know or cannot read is refused, so that its saga turns back instead of waiting for ever. */
export function readCommand(message: Message): PaymentCommand | Reply {
  const claim = { scope: SCOPE, key: message.id, fingerprint: fingerprintOf(message.data) };
  switch (message.type) {
    case ChargePayment.type: {
      const body = bodyOf(ChargePayment, message);
      if (!body.ok) return refusedInDoubt('malformed_command');
      return { kind: 'charge', claim, body: body.value, ...namesOf(body.value.tenant, message.id) };
    }
    case RefundPayment.type: {
      const body = bodyOf(RefundPayment, message);
      if (!body.ok) return refusedInDoubt('malformed_command');
      return { kind: 'refund', claim, body: body.value, ...namesOf(body.value.tenant, body.value.chargeId) };
    }
    default:
      return refusedInDoubt('unknown_command');
  }
}

const namesOf = (tenant: string, chargeId: string) => ({ tenant, chargeId, paymentId: paymentIdOf(chargeId) });

export function answerOf(reply: Reply): Answer {
  return { status: reply.outcome === 'succeeded' ? 200 : 409, body: JSON.stringify(reply) };
}

export const replyOf = (answer: Answer): Reply => JSON.parse(answer.body) as Reply;
