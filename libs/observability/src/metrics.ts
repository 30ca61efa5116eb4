/** Prometheus metrics by name. A second call with the same name returns the same metric. */
import { Counter, Gauge, Histogram, register } from 'prom-client';

export function counter<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
  return (register.getSingleMetric(name) as Counter<L> | undefined) ?? new Counter({ name, help, labelNames });
}

/** A counter whose value is counted elsewhere. It is read when somebody requests the metrics. */
export function countedElsewhere(name: string, help: string, read: () => number): void {
  if (register.getSingleMetric(name)) return;
  new Counter({
    name,
    help,
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

export function gauge<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
  return (register.getSingleMetric(name) as Gauge<L> | undefined) ?? new Gauge({ name, help, labelNames });
}

/** A gauge whose values are known elsewhere. They are read when somebody requests the metrics. */
export function gaugeReadLate<L extends string>(
  name: string,
  help: string,
  labelNames: readonly L[],
  read: (set: (labels: Record<L, string>, value: number) => void) => void,
): void {
  // The last one that was made: a test makes several services in one process.
  register.removeSingleMetric(name);
  new Gauge({
    name,
    help,
    labelNames,
    collect() {
      this.reset();
      read((labels, value) => this.set(labels as Partial<Record<L, string>>, value));
    },
  });
}

export function histogram<L extends string>(
  name: string,
  help: string,
  labelNames: readonly L[],
  buckets: number[],
): Histogram<L> {
  const known = register.getSingleMetric(name) as Histogram<L> | undefined;
  return known ?? new Histogram({ name, help, labelNames, buckets });
}

/**
 * Returns the value as long as there are few of them, and `other` for all that come later: a label whose values come
 * from elsewhere cannot grow without bound.
 */
export class FewValues {
  private readonly known = new Set<string>();

  constructor(private readonly max: number) {}

  of(value: string): string {
    if (this.known.has(value)) return value;
    if (this.known.size >= this.max) return 'other';
    this.known.add(value);
    return value;
  }
}
