/** Passes on server-sent events, to a bounded number of pages, and not for ever: a page that is there comes again. */
import type { OutgoingHttpHeaders } from 'node:http';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Problem } from '@shop/problem';
import type { FastifyReply } from 'fastify';
import { type Question, Upstream } from './upstream';

/** Some for each of a few dozen operators. */
const MAX_STREAMS = 256;
/** The page of a longer one has probably gone. */
const MAX_STREAM_MS = 10 * 60_000;

@Injectable()
export class Streams implements OnModuleDestroy {
  private readonly open = new Set<AbortController>();

  constructor(private readonly upstream: Upstream) {}

  /** @throws Problem 429 `too_many_streams`, and those of `Upstream` */
  async pass(question: Question, reply: FastifyReply): Promise<void> {
    const ending = this.take(reply);
    try {
      const answer = await this.upstream.open(question, ending.signal);
      if (!isStream(answer)) await refuse(answer);
      begin(reply);
      for await (const part of answer.body ?? []) {
        // A page that does not read gets nothing more.
        if (!reply.raw.write(part) && !(await drained(reply))) return;
      }
    } catch (error) {
      if (!reply.raw.headersSent) throw error;
    } finally {
      ending.abort();
      if (reply.raw.headersSent) reply.raw.end();
    }
  }

  /** Counts one more, until its page has left, its time is over or the console stops. */
  take(reply: FastifyReply): AbortController {
    if (this.open.size >= MAX_STREAMS) {
      throw new Problem(429, 'too_many_streams', 'too many pages are open', { headers: { 'retry-after': '10' } });
    }
    const ending = new AbortController();
    this.open.add(ending);
    const late = setTimeout(() => ending.abort(), MAX_STREAM_MS).unref();
    reply.raw.once('close', () => ending.abort());
    ending.signal.addEventListener('abort', () => {
      clearTimeout(late);
      this.open.delete(ending);
    });
    return ending;
  }

  onModuleDestroy(): void {
    for (const ending of [...this.open]) ending.abort();
  }
}

/** From here on the reply is ours. */
export function begin(reply: FastifyReply): void {
  reply.hijack();
  const headers = reply.getHeaders() as OutgoingHttpHeaders;
  reply.raw.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  reply.raw.write(': open\n\n');
}

const isStream = ({ status, headers }: Response): boolean =>
  status === 200 && (headers.get('content-type') ?? '').startsWith('text/event-stream');

/** Of a page that reads slowly, and is there. */
const DRAIN_WITHIN_MS = 5_000;

function drained({ raw }: FastifyReply): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), DRAIN_WITHIN_MS);
    const settle = (isDrained: boolean) => () => {
      clearTimeout(timer);
      resolve(isDrained);
    };
    raw.once('drain', settle(true));
    raw.once('close', settle(false));
  });
}

async function refuse({ status, body }: Response): Promise<never> {
  await body?.cancel();
  throw new Problem(status === 200 ? 502 : status, 'no_stream', 'the service has no such stream');
}
