/** A collector for tests: it takes spans as OTLP over HTTP, and shows the tree of a trace as text. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** As OTLP numbers them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  /** Nanoseconds since 1970. */
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  failed: boolean;
  service: string;
  /** The process that has made it. */
  pid: number;
}

type Attributes = { key: string; value: Record<string, unknown> }[];

interface ExportRequest {
  resourceSpans: {
    resource: { attributes: Attributes };
    scopeSpans: {
      spans: (Omit<CollectedSpan, 'attributes' | 'links'> & {
        attributes: Attributes;
        links?: CollectedSpan['links'];
        status?: { code?: number };
      })[];
    }[];
  }[];
}

const ERROR = 2;
/** The names of spans that are for several others: they link to all of them. */
const SHARED = / batch$|^publish evt\./;

export class Collector {
  readonly spans: CollectedSpan[] = [];
  private readonly byTrace = new Map<string, CollectedSpan[]>();
  /** What it answers. Anything but 200 is a collector in trouble. */
  status = 200;

  private constructor(private readonly server: Server) {}

  static async open(): Promise<Collector> {
    const server = createServer();
    const collector = new Collector(server);
    server.on('request', (request: IncomingMessage, response) => {
      void collector.take(request).then(() => {
        response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return collector;
  }

  /** What a service needs to send its spans here, soon. */
  get env(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: '50' };
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  ofTrace(traceId: string): CollectedSpan[] {
    return this.byTrace.get(traceId) ?? [];
  }

  /** Spans whose parent is not here, except those whose parent was made by the test. */
  orphansOf(traceId: string, parentOfAll?: string): CollectedSpan[] {
    const spans = this.ofTrace(traceId);
    const known = new Set([...spans.map(({ spanId }) => spanId), parentOfAll]);
    return spans.filter(({ parentSpanId }) => !known.has(parentSpanId));
  }

  /**
   * The spans below `parent`, one a line and indented, as `service: name`. Siblings are in the order of their names.
   * What was done for several spans at once stands below each of them, and may be in the trace of another one. Spans with
   * names of `without` are left out, with all that is below them.
   */
  treeOf(parent: string, { without = [] }: { without?: readonly string[] } = {}): string {
    const shared = this.spans.filter(({ name }) => SHARED.test(name));
    const own = this.spans.filter(({ name }) => !SHARED.test(name) && !without.includes(name));
    const below = (id: string, depth: number): string[] =>
      [
        ...own.filter(({ parentSpanId }) => parentSpanId === id),
        ...shared.filter(({ links }) => links.some(({ spanId }) => spanId === id)),
      ]
        .map((span) =>
          [`${'  '.repeat(depth)}${span.service}: ${span.name}`, ...below(span.spanId, depth + 1)].join('\n'),
        )
        .sort();
    return below(parent, 0).join('\n');
  }

  private keep(span: CollectedSpan): void {
    this.spans.push(span);
    const ofTrace = this.byTrace.get(span.traceId);
    if (ofTrace) ofTrace.push(span);
    else this.byTrace.set(span.traceId, [span]);
  }

  private async take(request: IncomingMessage): Promise<void> {
    const { resourceSpans } = (await json(request)) as ExportRequest;
    if (this.status !== 200) return;
    for (const { resource, scopeSpans } of resourceSpans) {
      const { 'service.name': service, 'process.pid': pid } = valuesOf(resource.attributes);
      for (const { attributes, links = [], status, ...span } of scopeSpans.flatMap((scope) => scope.spans)) {
        this.keep({
          ...span,
          links,
          attributes: valuesOf(attributes),
          failed: status?.code === ERROR,
          service: String(service),
          pid: Number(pid),
        });
      }
    }
  }
}

const valuesOf = (attributes: Attributes): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
