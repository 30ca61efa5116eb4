/** What Prometheus reads: the metrics of the process, as one text that all who ask share. */
import { Module } from '@nestjs/common';
import { collectDefaultMetrics, register } from 'prom-client';

/** A timer wakes the process this often to measure its delay; the usual 10 ms keep an idle service busy. */
const EVENT_LOOP_SAMPLE_MS = 500;
/** Prometheus asks every few seconds. Whoever asks more often gets the same text again. */
const TEXT_KEPT_MS = 1_000;

@Module({})
export class MetricsModule {
  onModuleInit(): void {
    if (!register.getSingleMetric('process_cpu_user_seconds_total')) {
      collectDefaultMetrics({ eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS });
    }
  }
}

export const METRICS_TYPE = register.contentType;

/** Makes the text at most once a second. The same bytes go to everybody, so that a slow reader keeps no copy. */
export const metricsText = keptFor(TEXT_KEPT_MS, async () => Buffer.from(await register.metrics()));

/** The last result is returned again until it is older than this. One that failed is not kept. */
export function keptFor<T>(keptMs: number, make: () => Promise<T>, now = () => performance.now()): () => Promise<T> {
  let last: { madeAt: number; result: Promise<T> } | undefined;
  return () => {
    if (last && now() - last.madeAt < keptMs) return last.result;
    const made = { madeAt: now(), result: make() };
    last = made;
    made.result.catch(() => {
      if (last === made) last = undefined;
    });
    return made.result;
  };
}
