import { RetryableError } from '@shop/resilience';
import { payoutOf } from './stripe-payout';

const shown = (changed: object = {}) => ({
  id: 'po_1',
  amount: 120_000,
  currency: 'eur',
  status: 'paid',
  arrival_date: 1_772_496_000,
  failure_code: null,
  ...changed,
});

describe('R57 a payout of Stripe', () => {
  it('R57 is told in our own words', () => {
    expect(payoutOf(shown())).toEqual({
      id: 'po_1',
      amount: 120_000,
      currency: 'EUR',
      status: 'paid',
      arrivalDate: '2026-03-03',
      failureCode: null,
    });
  });

  it('R57 may have failed, may be given up, and may take money from our bank', () => {
    expect(payoutOf(shown({ status: 'failed', failure_code: 'account_closed' }))).toMatchObject({
      status: 'failed',
      failureCode: 'account_closed',
    });
    expect(payoutOf(shown({ status: 'canceled', amount: -500 }))).toMatchObject({ status: 'cancelled', amount: -500 });
  });

  it('R57 is in the minor units of its currency, also where the provider counts otherwise', () => {
    expect(payoutOf(shown({ currency: 'jpy', amount: 700 }))).toMatchObject({ currency: 'JPY', amount: 700 });
  });

  it('R57 with a status that nobody knows is looked at again', () => {
    expect(() => payoutOf(shown({ status: 'lost' }))).toThrow(RetryableError);
  });
});
