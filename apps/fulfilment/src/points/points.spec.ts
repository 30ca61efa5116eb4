/** What an order earns. */
import { pointsFor } from './points';

describe('R40 the points of an order', () => {
  it.each([
    [1_299, 'EUR', 12],
    [99, 'EUR', 0],
    [0, 'USD', 0],
    [1_299, 'JPY', 1_299],
    [12_990, 'KWD', 12],
  ])('%d %s are %d', (amount, currency, points) => {
    expect(pointsFor(amount, currency)).toBe(points);
  });
});
