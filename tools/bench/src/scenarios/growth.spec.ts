import { ordersAt } from './growth';

describe('ordersAt', () => {
  it('grows with the concurrency up to what was asked for', () => {
    expect([1, 4, 16, 64].map((concurrency) => ordersAt(concurrency, 6_000))).toEqual([600, 2_400, 6_000, 6_000]);
  });
});
