/** Clients that come again with the same key after each refusal that asks them to. */
import type { Posting } from '@shop/system';
import { pause } from './load';
import type { PlainAnswer, Tenant } from './tenant';

/** A client without a `Retry-After`, or without an answer, comes again after this time. */
const USUAL_PAUSE_MS = 1_000;
/** A client with so many refusals would never be served. */
const MAX_ATTEMPTS = 200;
const COME_AGAIN = [429, 503];

/** Clients, and what they have seen. */
export class Crowd {
  accepted = 0;
  turnedAway = 0;
  /** Refusals without a Retry-After. */
  untold = 0;
  unanswered = 0;
  slowestOrderMs = 0;
  readonly answerMs: number[] = [];
  private readonly surprises: string[] = [];

  constructor(private readonly tenant: Tenant) {}

  /** Posts until the order is taken, or until the client has `givenUp`. Returns the id of the order. */
  async insist(posting: Posting, givenUp: () => boolean = () => false): Promise<string | undefined> {
    const began = performance.now();
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const answer = await this.try(() => this.tenant.tryToPlace(posting));
      if ('text' in answer) {
        this.slowestOrderMs = Math.max(this.slowestOrderMs, performance.now() - began);
        return (JSON.parse(answer.text) as { id?: string }).id;
      }
      if (givenUp()) return undefined;
      await pause(answer.waitMs);
    }
    this.surprises.push(`${posting.key} was turned away ${MAX_ATTEMPTS} times`);
    return undefined;
  }

  /** Another request, whose client waits as long as it is told to. */
  async ask(method: 'GET' | 'DELETE', path: string): Promise<void> {
    const answer = await this.try(() => this.tenant.tryTo(method, path));
    if ('waitMs' in answer) await pause(answer.waitMs);
  }

  /** Sentences about what must not happen under too much load. */
  faults(): string[] {
    return [
      ...(this.untold > 0 ? [`${this.untold} refusals had no Retry-After`] : []),
      ...(this.unanswered > 0 ? [`${this.unanswered} requests got no answer`] : []),
      ...this.surprises,
    ];
  }

  /** The answer, or how long to wait before the next try. */
  private async try(request: () => Promise<PlainAnswer>): Promise<{ text: string } | { waitMs: number }> {
    const began = performance.now();
    const answer = await request().catch(() => undefined);
    if (!answer) {
      this.unanswered++;
      return { waitMs: USUAL_PAUSE_MS };
    }
    this.answerMs.push(performance.now() - began);
    if (COME_AGAIN.includes(answer.status)) {
      this.turnedAway++;
      const seconds = Number(answer.retryAfter ?? NaN);
      if (Number.isFinite(seconds)) return { waitMs: seconds * 1_000 };
      this.untold++;
      return { waitMs: USUAL_PAUSE_MS };
    }
    if (answer.status < 300) this.accepted++;
    else this.surprises.push(`a request was answered ${answer.status}: ${answer.text}`);
    return { text: answer.text };
  }
}
