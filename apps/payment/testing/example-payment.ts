/** A payment for the specs of pure rules. */
import type { Payment } from '../src/payments/payment';

export const examplePayment = (changed: Partial<Payment> = {}): Payment => ({
  tenant: 'acme',
  id: 'pmt_1',
  orderId: null,
  chargeId: 'cmd-1',
  amount: 4_200,
  currency: 'EUR',
  source: null,
  status: 'succeeded',
  waitsFor: null,
  nextActionUrl: null,
  expiresAt: null,
  declineReason: null,
  providerReference: 'pi_1',
  undone: false,
  captured: null,
  refunded: 0,
  disputed: 0,
  version: 2,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...changed,
});
