import { outcomeOf } from './reply-outcome';

const over = '1970-01-01T00:00:00.000Z';

describe('the time until which a participant waits', () => {
  it.each<[string, string, string]>([
    ['in UTC', '2026-03-01T12:01:00Z', '2026-03-01T12:01:00.000Z'],
    ['with an offset', '2026-03-01T13:01:00+01:00', '2026-03-01T12:01:00.000Z'],
    ['with nanoseconds', '2026-03-01T12:01:00.123456789Z', '2026-03-01T12:01:00.123Z'],
    ['on a day that its month has not', '2026-02-31T12:00:00Z', '2026-03-03T12:00:00.000Z'],
    ['in a second that is none', '2026-03-01T12:00:60Z', over],
    ['in a year that is none', '0000-01-01T00:00:00Z', over],
  ])('R29 is one that the database can read: %s', (_, until, read) => {
    const reply = { outcome: 'waiting', waiting: { until, for: 'customer' } } as const;
    expect(outcomeOf(reply)).toEqual({ outcome: 'waiting', waiting: { until: read, for: 'customer' } });
  });

  it('leaves other replies as they are', () => {
    const reply = { outcome: 'refused', reason: 'no', inDoubt: true } as const;
    expect(outcomeOf(reply)).toEqual({ ...reply, result: undefined });
  });
});
