import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  RandomIdGenerator,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { currentSpan, inBatch, startChild, startSpan, takePromisedId, useTracer, withoutSpan } from './spans';
import { traceIdOf } from './trace';

const CLIENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const UNRECORDED = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';

const random = new RandomIdGenerator();
const ids = {
  generateTraceId: () => random.generateTraceId(),
  generateSpanId: () => takePromisedId() ?? random.generateSpanId(),
};
const exporter = new InMemorySpanExporter();
const named = (name: string): ReadableSpan => exporter.getFinishedSpans().find((span) => span.name === name)!;
const linksOf = (name: string) => named(name).links.map((link) => link.context.spanId);
const pause = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  exporter.reset();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    idGenerator: ids,
    // Only what somebody else records is recorded.
    sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  });
  useTracer(provider.getTracer('test'));
});
afterEach(() => useTracer(undefined));

describe('R50 without tracing', () => {
  beforeEach(() => useTracer(undefined));

  it('R50 there are no spans, and all work is done', async () => {
    expect([startSpan('a', { parent: CLIENT }), startChild('a'), currentSpan()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(withoutSpan(() => 1)).toBe(1);
    expect(await inBatch('batch', [undefined], () => Promise.resolve(2))).toBe(2);
  });
});

describe('R50 a span', () => {
  it('R50 goes on in the trace of its parent, and is the current one of all that it awaits', async () => {
    const outer = startSpan('outer', { parent: CLIENT })!;
    await outer.over(async () => {
      await pause();
      expect(currentSpan()?.ids).toEqual(outer.ids);
      startChild('inner')!.end();
    });
    expect(currentSpan()).toBeUndefined();
    expect(traceIdOf(outer.traceparent)).toBe(traceIdOf(CLIENT));
    expect(named('outer').parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(named('inner').parentSpanContext?.spanId).toBe(outer.ids.spanId);
  });

  it('R50 that is not recorded has ids for the log all the same, and no children', () => {
    const silent = startSpan('silent', { parent: UNRECORDED })!;
    expect([silent.recorded !== undefined, traceIdOf(silent.traceparent)]).toEqual([false, traceIdOf(UNRECORDED)]);
    expect(silent.traceparent).toMatch(/-00$/);
    expect(silent.run(() => startChild('child'))).toBeUndefined();
    silent.end();
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('R50 has the id that was promised, and only that one span', () => {
    startSpan('promised', { parent: CLIENT, spanId: '00f067aa0ba902b7' })!.end();
    startSpan('next', { parent: CLIENT })!.end();
    expect(named('promised').spanContext().spanId).toBe('00f067aa0ba902b7');
    expect(named('next').spanContext().spanId).not.toBe('00f067aa0ba902b7');
  });

  it('R54 says the name of an error and not its message, which may name people', async () => {
    const failing = startSpan('failing', { parent: CLIENT })!.over(() =>
      Promise.reject(new TypeError('alice@example.org')),
    );
    await expect(failing).rejects.toThrow('alice@example.org');
    const { status, attributes, events } = named('failing');
    expect([status.code, attributes, events]).toEqual([2, { 'error.type': 'TypeError' }, []]);
  });

  it('R50 may have begun before its process did', () => {
    const longAgo = startSpan('long', { parent: CLIENT, startedAtMs: performance.now() - 10 * 24 * 3_600_000 })!;
    longAgo.end();
    expect(named('long').duration[0]).toBeGreaterThan(9 * 24 * 3_600);
  });
});

describe('R50 a batch', () => {
  const members = () => [CLIENT, UNRECORDED, CLIENT].map((parent) => startSpan('member', { parent })!);

  it('R50 links to its members, and they to it', async () => {
    const [one, , two] = members();
    await inBatch('batch', [one, undefined, two], async () => {
      await pause();
      startChild('work')!.end();
    });
    for (const member of [one, two]) member!.end();
    const batch = named('batch');
    expect(linksOf('batch')).toEqual([one!.ids.spanId, two!.ids.spanId]);
    expect(batch.parentSpanContext?.spanId).toBe(one!.ids.spanId);
    expect(batch.attributes).toEqual({ 'shop.batch.size': 3 });
    expect(named('work').parentSpanContext?.spanId).toBe(batch.spanContext().spanId);
    const ofTwo = exporter.getFinishedSpans().find((span) => span.spanContext().spanId === two!.ids.spanId)!;
    expect(ofTwo.links.map((link) => link.context.spanId)).toEqual([batch.spanContext().spanId]);
  });

  it('R50 of members that are not recorded is in no trace, whoever has begun it', async () => {
    const [somebody] = members();
    await somebody!.run(() => inBatch('batch', [undefined], async () => expect(currentSpan()).toBeUndefined()));
    expect(named('batch')).toBeUndefined();
  });
});
