/** What happened between two looks at a process, and at all of them: the material of every figure. Pure. */
import type { Sample } from './prometheus-text';

export interface Moment {
  /** How a service was found, at this look. */
  service: string;
  up: boolean;
  ready: boolean;
  /** Why it is not ready, by the name of the check. */
  checks: Readonly<Record<string, string>>;
}

export interface Frame {
  /** Milliseconds of the time of day. */
  at: number;
  /** Since the frame before. */
  seconds: number;
  /** How much each counter has grown, by name and labels, all processes together. */
  grown: ReadonlyMap<string, Sample>;
  /** Each gauge. Where replicas report the same, it is the largest of theirs. */
  gauges: ReadonlyMap<string, Sample>;
  moments: readonly Moment[];
}

const COUNTER = /_(total|count|sum|bucket)$/;

/** What one process has shown, and what it had shown before. */
export interface Look {
  service: string;
  before: ReadonlyMap<string, Sample> | undefined;
  now: readonly Sample[];
}

export function frameOf(looks: readonly Look[], rest: Pick<Frame, 'at' | 'seconds' | 'moments'>): Frame {
  const grown = new Map<string, Sample>();
  const gauges = new Map<string, Sample>();
  for (const { service, before, now } of looks) {
    for (const given of now) {
      const sample = { ...given, key: `${service} ${given.key}`, labels: { ...given.labels, service } };
      if (!COUNTER.test(sample.name)) keep(gauges, sample, Math.max);
      else if (before) keep(grown, { ...sample, value: growthOf(before.get(given.key)?.value, given.value) }, add);
    }
  }
  return { ...rest, grown, gauges };
}

/** A process that has started again counts from nothing. */
function growthOf(before: number | undefined, now: number): number {
  if (before === undefined) return now;
  return now >= before ? now - before : now;
}

const add = (one: number, other: number): number => one + other;

function keep(into: Map<string, Sample>, sample: Sample, join: (one: number, other: number) => number): void {
  const known = into.get(sample.key);
  into.set(sample.key, known ? { ...known, value: join(known.value, sample.value) } : sample);
}
