/** What follows from money that the customer has back, in the transaction that writes it. */
import { PaymentRefunded } from '@shop/contracts';
import type { Tx } from '@shop/postgres';
import { touchCreditChecks } from '../invoices/credit-checks.repository';
import type { Payment } from '../payments/payment';
import { tellOfPayment } from '../payments/payment-events';
import type { Refund } from './refund';

/** Publishes what is in the outbox. */
export interface Wakes {
  wake: () => void;
}

/** A refund succeeds once, so this is told once. */
export function tellRefunded(tx: Tx, payment: Payment, { id: refundId, amount }: Refund, relay: Wakes): void {
  const { tenant, orderId, currency } = payment;
  tellOfPayment(tx, PaymentRefunded, payment, { what: `refunded/${refundId}`, more: { refundId, amount, currency } });
  if (orderId !== null) touchCreditChecks(tx, [{ tenant, orderId }]);
  tx.afterCommit(() => relay.wake());
}
