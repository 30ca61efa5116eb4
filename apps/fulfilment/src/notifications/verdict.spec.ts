/** Every outcome of an attempt in both modes, and how long a mail is tried. */
import type { Delivery } from './mailer';
import { deliveryModes, MAX_ATTEMPTS, verdictOn } from './verdict';

const most = () => 1;
const first = { attempts: 0, mode: 'at-least-once' } as const;
const lost: Delivery = { outcome: 'unknown', reason: 'connection_lost' };
const busy: Delivery = { outcome: 'again', reason: 'smtp_451' };

describe.each(deliveryModes)('with %s, a mail', (mode) => {
  const on = (delivery: Delivery, attempts = 0) => verdictOn(delivery, { attempts, mode }, most);

  it('that the server took is sent', () => {
    expect(on({ outcome: 'sent' })).toEqual({ status: 'sent', reason: null, counts: true, delayMs: 0 });
  });

  it('that the server refused is parked, with its code', () => {
    expect(on({ outcome: 'refused', reason: 'smtp_550' })).toMatchObject({ status: 'parked', reason: 'smtp_550' });
  });

  it('that the server does not take now is tried again, later each time, and parked in the end', () => {
    const delays = [0, 1, 2, 11, 12, 50].map((attempts) => on(busy, attempts).delayMs);
    expect(delays).toEqual([1_000, 2_000, 4_000, 2_048_000, 3_600_000, 3_600_000]);
    expect(on(busy, MAX_ATTEMPTS - 2).status).toBe('queued');
    expect(on(busy, MAX_ATTEMPTS - 1)).toMatchObject({ status: 'parked', reason: 'smtp_451' });
  });

  it('waits without an attempt while the server is away, as long as that takes', () => {
    const away = { outcome: 'away', reason: 'smtp_away' } as const;
    expect(on(away, MAX_ATTEMPTS)).toEqual({ status: 'queued', reason: 'smtp_away', counts: false, delayMs: 5_000 });
    expect(on({ ...away, retryAfterMs: 12_000 }).delayMs).toBe(12_000);
  });
});

it('a mail that the server may have is sent again with at-least-once', () => {
  expect(verdictOn(lost, first, most)).toMatchObject({ status: 'queued', reason: 'connection_lost', counts: true });
});

it('a mail that the server may have is parked with at-most-once', () => {
  expect(verdictOn(lost, { ...first, mode: 'at-most-once' }, most)).toMatchObject({
    status: 'parked',
    reason: 'outcome_unknown',
  });
});

it('no two mails that failed together have to come back together, and none at once', () => {
  expect([0, 0.5, 1].map((share) => verdictOn(busy, first, () => share).delayMs)).toEqual([500, 750, 1_000]);
});
