/** What the overview shows, made of the frames of the last minutes. Pure. */
import type { Frame, Moment } from './frame';
import { gaugesIn, gaugeSum, quantileOf, rateOf, totalsBy } from './rates';

/** One place of the charts. Null where nobody knows. */
export interface Point {
  at: number;
  orders: number;
  confirmed: number;
  cancelled: number;
  requests: number;
  errors: number;
  p50: number | null;
  p99: number | null;
  /** Sagas that are under way. Those that are parked are not. */
  inFlight: number | null;
  parked: number | null;
}

export interface Overview {
  /** False when the configuration names no process to look at. */
  watched: boolean;
  point: Point | null;
  services: Moment[];
  /** Of sagas that ended within the window. */
  endings: { saga: string; status: string; reason: string; count: number }[];
  steps: { saga: string; step: string; perMinute: number; p50: number | null; p99: number | null }[];
  open: { saga: string; step: string; action: string; status: string; count: number; oldest: number; still: number }[];
  deadLetters: { service: string; mailbox: string; count: number }[];
  mailboxes: { mailbox: string; waiting: number }[];
  outboxes: { service: string; waiting: number; oldest: number | null }[];
  held: number | null;
  windowSeconds: number;
}

/** Rates and latencies of a point are over so many frames: one alone jumps. */
const SMOOTH = 5;
const STARTED = { name: 'saga_transitions_total', where: { event: 'started', saga: 'place-order' } };
const toEnd = (to: string) => ({ name: 'saga_transitions_total', where: { to, saga: 'place-order' } });
const PLACING = {
  name: 'http_request_duration_seconds',
  where: { service: 'order', method: 'POST', route: '/orders' },
};
const REQUESTS = { name: 'http_request_duration_seconds_count' };
/** Who asks whether a service is ready, and hears that it is not, is no failed request. */
const OF_MACHINES = /^\/health\//;

export function pointOf(frames: readonly Frame[]): Point {
  const recent = frames.slice(-SMOOTH);
  const last = recent.at(-1)!;
  const requests = totalsBy(recent, REQUESTS, ['status', 'route']).filter(
    ({ labels }) => !OF_MACHINES.test(labels['route']!),
  );
  const seconds = recent.reduce((sum, frame) => sum + frame.seconds, 0);
  const parked = gaugeSum(last, { name: 'saga_parked' });
  const failed = requests.filter(({ labels }) => labels['status']?.startsWith('5'));
  const perSecond = (totals: typeof requests): number =>
    seconds === 0 ? 0 : totals.reduce((sum, { value }) => sum + value, 0) / seconds;
  return {
    at: last.at,
    orders: rateOf(recent, STARTED),
    confirmed: rateOf(recent, toEnd('completed')),
    cancelled: rateOf(recent, toEnd('compensated')),
    requests: perSecond(requests),
    errors: perSecond(failed),
    p50: quantileOf(recent, 0.5, PLACING),
    p99: quantileOf(recent, 0.99, PLACING),
    // A service that tells how many are parked, and nothing of others, has none.
    inFlight: parked === null ? null : inFlightIn(last),
    parked,
  };
}

export function overviewOf(frames: readonly Frame[], { watched }: { watched: boolean }): Overview {
  const last = frames.at(-1);
  const windowSeconds = frames.reduce((sum, frame) => sum + frame.seconds, 0);
  return {
    watched,
    point: last ? pointOf(frames) : null,
    services: [...(last?.moments ?? [])],
    endings: endingsOf(frames),
    steps: stepsOf(frames, windowSeconds),
    open: openOf(last),
    deadLetters: gaugesIn(last, { name: 'dead_letters_open' })
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => ({ service: labels['service']!, mailbox: labels['mailbox'] ?? '', count: value })),
    mailboxes: mailboxesOf(last),
    outboxes: gaugesIn(last, { name: 'outbox_waiting_events' }).map(({ labels, value }) => ({
      service: labels['service']!,
      waiting: value,
      oldest: gaugeSum(last, { name: 'outbox_oldest_waiting_seconds', where: { service: labels['service']! } }),
    })),
    held: gaugeSum(last, { name: 'saga_held' }),
    windowSeconds,
  };
}

function endingsOf(frames: readonly Frame[]): Overview['endings'] {
  const named = totalsBy(frames, { name: 'saga_ended_total' }, ['saga', 'status', 'reason']);
  return named
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => ({
      saga: labels['saga']!,
      status: labels['status']!,
      reason: labels['reason']!,
      count: value,
    }))
    .sort((one, other) => other.count - one.count);
}

function stepsOf(frames: readonly Frame[], seconds: number): Overview['steps'] {
  const histogram = 'saga_step_duration_seconds';
  const counts = totalsBy(frames, { name: `${histogram}_count` }, ['saga', 'step']);
  return counts
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => {
      const chosen = { name: histogram, where: labels };
      const [p50, p99] = [quantileOf(frames, 0.5, chosen), quantileOf(frames, 0.99, chosen)];
      return { saga: labels['saga']!, step: labels['step']!, perMinute: (value * 60) / seconds, p50, p99 };
    });
}

function inFlightIn(last: Frame): number {
  const moving = gaugesIn(last, { name: 'saga_open' }).filter(({ labels }) => labels['status'] !== 'parked');
  return moving.reduce((sum, { value }) => sum + value, 0);
}

function openOf(last: Frame | undefined): Overview['open'] {
  return gaugesIn(last, { name: 'saga_open' })
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => {
      const { saga = '', step = '', action = '', status = '' } = labels;
      const where = { saga, step, action, status };
      return {
        ...where,
        count: value,
        oldest: gaugeSum(last, { name: 'saga_open_oldest_seconds', where }) ?? 0,
        still: gaugeSum(last, { name: 'saga_open_still_seconds', where }) ?? 0,
      };
    });
}

/** Each service may tell of the same mailbox. */
function mailboxesOf(last: Frame | undefined): Overview['mailboxes'] {
  const waiting = new Map<string, number>();
  for (const { labels, value } of gaugesIn(last, { name: 'messaging_pending' })) {
    const mailbox = labels['mailbox'] ?? '';
    waiting.set(mailbox, Math.max(value, waiting.get(mailbox) ?? 0));
  }
  return [...waiting].map(([mailbox, count]) => ({ mailbox, waiting: count }));
}

const WANTED = new Set([
  STARTED.name,
  REQUESTS.name,
  `${PLACING.name}_bucket`,
  'saga_ended_total',
  'saga_step_duration_seconds_bucket',
  'saga_step_duration_seconds_count',
  'saga_open',
  'saga_open_oldest_seconds',
  'saga_open_still_seconds',
  'saga_parked',
  'saga_held',
  'dead_letters_open',
  'messaging_pending',
  'outbox_waiting_events',
  'outbox_oldest_waiting_seconds',
]);

export const isWanted = (name: string): boolean => WANTED.has(name);
