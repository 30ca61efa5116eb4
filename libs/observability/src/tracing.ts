/**
 * Starts OpenTelemetry: spans leave in batches, as OTLP over HTTP. What the standard variables say is read by its own
 * readers. A collector that is away costs the spans, and nothing else.
 */
import { randomUUID } from 'node:crypto';
import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type IdGenerator,
  RandomIdGenerator,
} from '@opentelemetry/sdk-trace-base';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import type { Logger } from './logger';
import { takePromisedId, useTracer } from './spans';

export interface TracingOptions {
  /** The name of the service, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES gives another one. */
  service: string;
}

export interface Tracing {
  /** What OpenTelemetry complains about goes there. */
  tellTo: (logger: Logger) => void;
  /** Sends what waits, for a bounded time. No span begins after it. */
  stop: () => Promise<void>;
}

/** The end of a process does not wait longer for a collector. */
const FLUSH_WITHIN_MS = 2_000;
/** Some seconds of a busy service; those of OpenTelemetry are dropped in a burst. Some 30 MiB when it is full. */
const QUEUED_SPANS = 16_384;
/** A collector that is away is away for each batch. One line in this time says so. */
const SAY_EVERY_MS = 30_000;

/** The next id is random, unless somebody was promised one. */
class SpanIds implements IdGenerator {
  private readonly random = new RandomIdGenerator();

  generateTraceId(): string {
    return this.random.generateTraceId();
  }

  generateSpanId(): string {
    return takePromisedId() ?? this.random.generateSpanId();
  }
}

/** @param env the standard variables of OpenTelemetry; its own readers read them from the process */
export function startTracing(env: NodeJS.ProcessEnv, { service }: TracingOptions): Tracing {
  const own = resourceFromAttributes({
    [ATTR_SERVICE_NAME]: service,
    [ATTR_SERVICE_INSTANCE_ID]: randomUUID(),
    'process.pid': process.pid,
  });
  const given = detectResources({ detectors: [envDetector] });
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(own).merge(given),
    idGenerator: new SpanIds(),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), queueSizeFor(env))],
  });
  useTracer(provider.getTracer('shop'));
  const stop = async () => {
    useTracer(undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, FLUSH_WITHIN_MS)));
    await Promise.race([provider.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
  };
  return { tellTo, stop };
}

/** What the variable says counts more. */
const queueSizeFor = (env: NodeJS.ProcessEnv) => (env['OTEL_BSP_MAX_QUEUE_SIZE'] ? {} : { maxQueueSize: QUEUED_SPANS });

function tellTo(logger: Logger): void {
  let saidAt = -Infinity;
  const say = (message: string): void => {
    const now = performance.now();
    if (now - saidAt < SAY_EVERY_MS) return;
    saidAt = now;
    logger.warn({ reason: message.slice(0, MAX_REASON) }, 'tracing.troubled');
  };
  const silent = (): void => undefined;
  const told: DiagLogger = { error: say, warn: say, info: silent, debug: silent, verbose: silent };
  diag.setLogger(told, DiagLogLevel.WARN);
}

const MAX_REASON = 500;
