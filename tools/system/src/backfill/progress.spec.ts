import { PassThrough } from 'node:stream';
import type { Backfill } from './backfills';
import { durationOf, PaceOfWork } from './pace-of-work';
import { barOn, linesTo, numberOf, shareOf } from './progress';

const running: Backfill = {
  name: 'old-orders',
  title: 'Old orders',
  status: 'running',
  runs: 1,
  worked: 0,
  estimate: 10_000,
  ratePerSecond: 500,
  lastError: null,
  startedAt: null,
  workedAt: null,
  endedAt: null,
};

describe('the progress of a backfill', () => {
  it('R42 is lines where there is no terminal: one for each change, and one from time to time', () => {
    const lines: string[] = [];
    const progress = linesTo((line) => lines.push(line));
    for (let second = 0; second <= 25; second++)
      progress.show({ ...running, worked: second * 100, estimate: 10_000 }, second * 1_000);
    progress.show({ ...running, worked: 2_600, lastError: 'order is\naway' }, 26_000);
    progress.show({ ...running, status: 'done', worked: 10_000 }, 27_000);
    progress.end();
    expect(lines).toEqual([
      'old-orders: running, 0 of about 10,000 rows (0 %)',
      'old-orders: running, 1,000 of about 10,000 rows (10 %), 100 rows/s, about 1 min 30 s left',
      'old-orders: running, 2,000 of about 10,000 rows (20 %), 100 rows/s, about 1 min 20 s left',
      'old-orders: done, 10,000 rows',
    ]);
  });

  it('R42 is a bar on a terminal, without a bar where nobody knows how long the way is', () => {
    const drawn = (estimate: number | null) => {
      const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
      const progress = barOn(stream as unknown as NodeJS.WriteStream);
      progress.show({ ...running, estimate }, 0);
      progress.show({ ...running, estimate, worked: 5_000, lastError: 'order is\x1b[2Jaway' }, 10_000);
      progress.end();
      return String(stream.read());
    };
    expect(drawn(10_000)).toContain(
      `[${'█'.repeat(15)}${'░'.repeat(15)}] running, 5,000 of about 10,000 rows (50 %), 500 rows/s, about 10 s left`,
    );
    expect(drawn(10_000)).toContain('order is\\x1b[2Jaway');
    expect(drawn(null)).toContain('running, 5,000 rows, 500 rows/s');
    expect(drawn(null)).not.toMatch(/[█░]/);
  });

  it('R42 never says that all is done before it is', () => {
    expect(shareOf({ ...running, worked: 12_000 })).toBe('12,000 rows');
    expect(shareOf({ ...running, worked: 9_999 })).toBe('9,999 of about 10,000 rows (99 %)');
    expect(shareOf({ ...running, worked: 0, estimate: 0 })).toBe('0 rows');
    expect(shareOf({ ...running, worked: 1, estimate: null })).toBe('1 row');
  });

  it('R42 tells the speed of now, and of nothing before a new run', () => {
    const pace = new PaceOfWork();
    expect(pace.perSecond).toBeUndefined();
    for (let second = 0; second <= 60; second++) pace.see(second * 1_000, second < 40 ? second * 1_000 : 40_000);
    expect(pace.perSecond).toBe(0);
    expect(pace.secondsLeft(40_000, 50_000)).toBeUndefined();
    pace.see(61_000, 10);
    expect(pace.perSecond).toBeUndefined();
    pace.see(62_000, 20);
    expect(pace.secondsLeft(20, 50)).toBe(3);
  });

  it.each([
    [0, '0 s'],
    [59.6, '1 min 00 s'],
    [200, '3 min 20 s'],
    [3_725, '1 h 02 min'],
  ])('R42 says %d seconds as %s', (seconds, text) => expect(durationOf(seconds)).toBe(text));

  it.each([
    [7, '7'],
    [1_000, '1,000'],
    [1_234_567, '1,234,567'],
  ])('R42 writes %d as %s', (count, text) => expect(numberOf(count)).toBe(text));
});
