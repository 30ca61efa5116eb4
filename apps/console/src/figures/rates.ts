/** Rates, sums and quantiles over frames. Pure. */
import type { Frame } from './frame';
import type { Sample } from './prometheus-text';

export interface Chosen {
  name: string;
  /** Labels that it must have. */
  where?: Readonly<Record<string, string>>;
}

const fits = ({ name, labels }: Sample, chosen: Chosen): boolean =>
  name === chosen.name && Object.entries(chosen.where ?? {}).every(([label, value]) => labels[label] === value);

export const grownIn = ({ grown }: Pick<Frame, 'grown'>, chosen: Chosen): Sample[] =>
  [...grown.values()].filter((sample) => fits(sample, chosen));

/** How often a second, over all the frames. */
export function rateOf(frames: readonly Frame[], chosen: Chosen): number {
  const seconds = frames.reduce((sum, frame) => sum + frame.seconds, 0);
  const total = frames.flatMap((frame) => grownIn(frame, chosen)).reduce((sum, { value }) => sum + value, 0);
  return seconds === 0 ? 0 : total / seconds;
}

/** How much each group has grown, by the values of some labels. */
export function totalsBy(
  frames: readonly Frame[],
  chosen: Chosen,
  labels: readonly string[],
): { labels: Record<string, string>; value: number }[] {
  const totals = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const sample of frames.flatMap((frame) => grownIn(frame, chosen))) {
    const own = Object.fromEntries(labels.map((label) => [label, sample.labels[label] ?? '']));
    const key = JSON.stringify(own);
    const known = totals.get(key);
    totals.set(key, { labels: own, value: (known?.value ?? 0) + sample.value });
  }
  return [...totals.values()];
}

/** The newest values of a gauge. */
export const gaugesIn = (frame: Frame | undefined, chosen: Chosen): Sample[] =>
  [...(frame?.gauges.values() ?? [])].filter((sample) => fits(sample, chosen));

export const gaugeSum = (frame: Frame | undefined, chosen: Chosen): number | null => {
  const found = gaugesIn(frame, chosen);
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0);
};

/**
 * The value below which this part of all observations was, in the unit of the histogram; null when there was none. Within
 * a bucket they are taken to be spread evenly, as Prometheus does. Above the last bound it is that bound.
 */
export function quantileOf(frames: readonly Frame[], part: number, histogram: Chosen): number | null {
  const bucket = { ...histogram, name: `${histogram.name}_bucket` };
  const buckets = totalsBy(frames, bucket, ['le'])
    .map(({ labels, value }) => ({ upTo: labels['le'] === '+Inf' ? Infinity : Number(labels['le']), count: value }))
    .sort((one, other) => one.upTo - other.upTo);
  const all = buckets.at(-1)?.count ?? 0;
  if (all <= 0) return null;
  const wanted = all * part;
  const index = buckets.findIndex(({ count }) => count >= wanted);
  const { upTo, count } = buckets[index]!;
  const below = buckets[index - 1] ?? { upTo: 0, count: 0 };
  if (upTo === Infinity) return below.upTo;
  return count === below.count
    ? upTo
    : below.upTo + ((upTo - below.upTo) * (wanted - below.count)) / (count - below.count);
}
