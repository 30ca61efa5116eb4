/** Clients that come again with the same key after each refusal that asks them to. */
import type { Posting } from '@shop/system';
import { pause } from './load';
import type { Tenant } from './tenant';

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

  /** Posts until the order is taken, or until the client has `givenUp`. */
  async insist(posting: Posting, givenUp: () => boolean = () => false): Promise<void> {
    const began = performance.now();
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const wait = await this.try(posting);
      if (wait === undefined) {
        this.slowestOrderMs = Math.max(this.slowestOrderMs, performance.now() - began);
        return;
      }
      if (givenUp()) return;
      await pause(wait);
    }
    this.surprises.push(`${posting.key} was turned away ${MAX_ATTEMPTS} times`);
  }

  /** Sentences about what must not happen under too much load. */
  faults(): string[] {
    return [
      ...(this.untold > 0 ? [`${this.untold} refusals had no Retry-After`] : []),
      ...(this.unanswered > 0 ? [`${this.unanswered} requests got no answer`] : []),
      ...this.surprises,
    ];
  }

  /** Milliseconds to wait before the next try, or undefined when it was the last one. */
  private async try(posting: Posting): Promise<number | undefined> {
    const began = performance.now();
    const answer = await this.tenant.tryToPlace(posting).catch(() => undefined);
    if (!answer) {
      this.unanswered++;
      return USUAL_PAUSE_MS;
    }
    this.answerMs.push(performance.now() - began);
    if (COME_AGAIN.includes(answer.status)) {
      this.turnedAway++;
      const seconds = Number(answer.retryAfter ?? NaN);
      if (Number.isFinite(seconds)) return seconds * 1_000;
      this.untold++;
      return USUAL_PAUSE_MS;
    }
    if (answer.status === 201) this.accepted++;
    else this.surprises.push(`${posting.key} was answered ${answer.status}: ${answer.text}`);
    return undefined;
  }
}
