/**
 * Spans: what took how long, and what caused it. They are made by our own code at its doors, because nothing can be
 * patched into ES modules.
 *
 * Without tracing, `startSpan` and `startChild` return undefined and make nothing. With it, the current span follows the
 * code through its awaits. A queue does not know whose work it does, so it says it: see `inBatch`.
 *
 * No text of others is in a span, except names and ids that are bounded: see `bounded`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  type HrTime,
  type Link,
  ROOT_CONTEXT,
  type Span as OpenTelemetrySpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { isUnrecorded, parseTraceparent, spanIdOf, traceIdOf } from './trace';

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

export interface SpanOptions {
  /** The default is `internal`. */
  kind?: keyof typeof kinds;
  /** What caused it: a span, a `traceparent`, or null for nothing. The default is the current span. */
  parent?: Span | string | null;
  /** Other spans that it belongs to, each as a `traceparent`. */
  links?: readonly string[];
  /** A function where they cost something: it is called for a span that is recorded. */
  attributes?: Attributes | (() => Attributes);
  /** The id that the span has been promised, for instance to the row of a saga. */
  spanId?: string;
  /** When it began, if not now; on the clock of `performance.now()`. */
  startedAtMs?: number;
}

let tracer: Tracer | undefined;
/** The current span. */
const current = new AsyncLocalStorage<Span | undefined>();
/** For the next span only. The generator of ids asks for it. */
let promisedId: string | undefined;

/** Turns tracing on, or off for what starts from now on. */
export function useTracer(given: Tracer | undefined): void {
  tracer = given;
}

export const isTracing = (): boolean => tracer !== undefined;

/** The span id that the next span has to have, if any. */
export function takePromisedId(): string | undefined {
  const id = promisedId;
  promisedId = undefined;
  return id;
}

export class Span {
  /**
   * @param traceparent for whoever goes on with this trace
   * @param recorded absent in a trace that is not recorded: then it is a place in it, and nothing is kept
   */
  constructor(
    readonly traceparent: string,
    readonly recorded?: OpenTelemetrySpan,
  ) {}

  /** The trace id and the span id, as they are in a log line. */
  get ids(): { traceId: string; spanId: string } {
    return { traceId: traceIdOf(this.traceparent), spanId: spanIdOf(this.traceparent) };
  }

  set(attributes: Attributes): void {
    this.recorded?.setAttributes(attributes);
  }

  rename(name: string): void {
    this.recorded?.updateName(name);
  }

  link(traceparent: string): void {
    const linked = this.recorded && linkTo(traceparent);
    if (linked) this.recorded?.addLink(linked);
  }

  /** Only the name and the code of an error: its message may repeat what others wrote. */
  fail(error: unknown): void {
    this.recorded?.setStatus({ code: SpanStatusCode.ERROR });
    this.recorded?.setAttribute('error.type', typeof error === 'string' ? bounded(error) : nameOf(error));
  }

  end(): void {
    this.recorded?.end();
  }

  /** Runs `work` and all that it awaits with this as the current span. */
  run<T>(work: () => T): T {
    return current.run(this, work);
  }

  /** Like `run`; the span ends with the work, and fails with it. */
  async over<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.run(work);
    } catch (error) {
      this.fail(error);
      throw error;
    } finally {
      this.end();
    }
  }
}

/**
 * A span, which has to be ended; undefined without tracing. In a trace that is not recorded, it is its parent under another
 * name: it has the ids for the log, and nothing is kept of it.
 */
export function startSpan(name: string, options: SpanOptions = {}): Span | undefined {
  if (!tracer) return undefined;
  const { kind = 'internal', parent = current.getStore(), links = [], attributes, spanId, startedAtMs } = options;
  // Whoever has begun the trace has decided. Most traces are not recorded, so this has to cost little.
  if (kind !== 'server' && parent) {
    if (parent instanceof Span && !parent.recorded) return parent;
    if (typeof parent === 'string' && isUnrecorded(parent)) return new Span(parent);
  }
  promisedId = spanId;
  const span = tracer.startSpan(
    name,
    {
      kind: kinds[kind],
      links: links.flatMap((link) => linkTo(link) ?? []),
      startTime: startedAtMs === undefined ? undefined : timeOf(startedAtMs),
    },
    contextOf(parent),
  );
  promisedId = undefined;
  const traceparent = traceparentOf(span);
  if (!span.isRecording()) return new Span(traceparent);
  const known = typeof attributes === 'function' ? attributes() : attributes;
  if (known) span.setAttributes(known);
  return new Span(traceparent, span);
}

/** A span within the current one, if there is one that is recorded. What nobody asked for is not worth a trace. */
export function startChild(name: string, options?: Omit<SpanOptions, 'parent'>): Span | undefined {
  return tracer && current.getStore()?.recorded ? startSpan(name, options) : undefined;
}

export const currentSpan = (): Span | undefined => tracer && current.getStore();

/** Runs the work of a queue, which began in the context of somebody else, in none. */
export function withoutSpan<T>(work: () => T): T {
  return tracer ? current.run(undefined, work) : work();
}

/**
 * Runs work on a row as a span in the trace that the row names, long after whoever began it. Without a name, it is a trace
 * of its own.
 */
export function inTraceOf<T>(name: string, traceparent: string | undefined, work: () => Promise<T>): Promise<T> {
  const span = tracer && startSpan(name, { parent: traceparent ?? null });
  return span ? span.over(work) : work();
}

/**
 * Runs work that is done for several spans at once: a span for the batch, with links to all of them. It is a child of the
 * first one, so that it is recorded whenever one of them is.
 * @param members one for each member of the batch; those that are not recorded are undefined
 */
export function inBatch<T>(name: string, members: readonly (Span | undefined)[], work: () => Promise<T>): Promise<T> {
  if (!tracer) return work();
  const [first, ...others] = members.filter((member) => member !== undefined);
  if (!first) return withoutSpan(work);
  const batch = startSpan(name, {
    parent: first,
    links: [first, ...others].map(({ traceparent }) => traceparent),
    attributes: { 'shop.batch.size': members.length },
  })!;
  for (const other of others) other.link(batch.traceparent);
  return batch.over(work);
}

/** Longer than any name or id of ours. */
const MAX_ATTRIBUTE = 256;

/** A text that somebody else has chosen, as it may be in a span. */
export const bounded = (text: string): string => text.slice(0, MAX_ATTRIBUTE);

function nameOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return bounded(typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown');
}

function contextOf(parent: Span | string | null | undefined): Context {
  if (parent instanceof Span && parent.recorded) return trace.setSpan(ROOT_CONTEXT, parent.recorded);
  const spanContext = spanContextOf(parent instanceof Span ? parent.traceparent : parent);
  return spanContext ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT;
}

function traceparentOf(span: OpenTelemetrySpan): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

function linkTo(traceparent: string): Link | undefined {
  const spanContext = spanContextOf(traceparent);
  return spanContext && { context: spanContext };
}

function spanContextOf(traceparent: string | null | undefined): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent);
  if (!parsed) return undefined;
  const { traceId, spanId, flags } = parsed;
  return { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
}

/**
 * Seconds and nanoseconds. As one number, a time before the start of the process would be taken for another one. The time
 * of day is right here: OpenTelemetry uses it for all other times.
 */
function timeOf(atMs: number): HrTime {
  const ms = Date.now() - (performance.now() - atMs);
  return [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)];
}
