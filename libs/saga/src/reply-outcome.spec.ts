import { MAX_WAIT_MS, outcomeOf } from './reply-outcome';

const now = Date.parse('2026-03-01T12:00:00Z');
const wait = (until: string) => outcomeOf({ outcome: 'waiting', waiting: { until, for: 'customer' } }, now);

describe('the time until which a participant waits', () => {
  it.each<[string, string, number]>([
    ['a time to come', '2026-03-01T12:01:00Z', 60_000],
    ['a time with an offset', '2026-03-01T13:01:00+01:00', 60_000],
    ['a time that is over', '2026-03-01T11:00:00Z', 0],
    ['a second that is none', '2026-03-01T12:00:60Z', 0],
    ['a time of another year', '2036-03-01T12:00:00Z', MAX_WAIT_MS],
  ])('becomes a stretch from now, within bounds: %s', (_, until, forMs) => {
    expect(wait(until)).toEqual({ outcome: 'waiting', waiting: { until, for: 'customer', forMs } });
  });

  it('leaves other replies as they are', () => {
    const reply = { outcome: 'refused', reason: 'no', inDoubt: true } as const;
    expect(outcomeOf(reply, now)).toEqual({ ...reply, result: undefined });
  });
});
