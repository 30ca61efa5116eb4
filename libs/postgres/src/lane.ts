/**
 * A lane runs one batch at a time. What arrives while a batch runs is the next batch.
 *
 * An idle lane starts at once with a batch of one, and batches grow with the load. A lane that gathers waits after a
 * large batch. It waits for a batch that is twice as large, but not longer than the last batch took: under load, each
 * batch has a fixed cost. Nobody of another tenant waits for that. If a batch fails, its members run alone, so one bad member cannot block the others. Nobody
 * waits for long: what would only find a server that does not answer fails at once, and what has waited too long is
 * refused.
 */
import { FairQueue } from '@shop/resilience';
import { inBatch, type Span, startChild } from '@shop/observability';
import { measureBatch, measureDepthOf } from './lane-metrics';
import { isCommon, isPassing, isUnreachable } from './pg-errors';

export interface LaneOptions<In, Out> {
  /** For metrics. Lanes that do the same work have the same name. */
  name?: string;
  /** Returns one output for each input, in the same order. */
  run: (batch: In[]) => Promise<Out[]>;
  /**
   * For whom the work is, such as its tenant. Batches take from all of them in turn. Without it, who came first is
   * first.
   */
  turnOf?: (input: In) => string;
  /** The most members of one batch. */
  maxBatch?: number;
  /**
   * The most waiting members. When there are more, `submit` throws LaneFullError, but not for those who have less than
   * their share of the lane.
   */
  maxWaiting?: number;
  /** The longest wait of a member for its turn, in milliseconds. After it, LaneFullError. */
  maxWaitMs?: number;
  /**
   * The longest wait in milliseconds for more members after a batch of eight or more. 0 starts the next batch at once.
   */
  gatherMs?: number;
  /**
   * True for a failure that is not caused by the members, such as a server that is away. Then all members fail with it.
   */
  failsTogether?: (error: unknown) => boolean;
}

/** Thrown when a lane has too many waiting members, or the member has waited too long. It may come again later. */
export class LaneFullError extends Error {
  constructor() {
    super('too much work is waiting; try again later');
    this.name = 'LaneFullError';
  }
}

const UNNAMED = 'other';
/** Larger batches save nothing more by sharing the commit, and everybody waits longer. */
const DEFAULT_MAX_BATCH = 128;
const DEFAULT_MAX_WAITING = 2_000;
/** A client should get an answer within ten seconds. */
const DEFAULT_MAX_WAIT_MS = 8_000;
/** After a smaller batch nobody waits, because the load is low. */
const GATHER_FROM = 8;
/** For lanes whose batches are transactions. docs/performance.md says what it saves. */
export const GATHER_MS = 16;

interface Member<In, Out> {
  input: In;
  turn: string;
  alone: boolean;
  since: number;
  /** From when it came until its batch is done, in the trace of whoever brought it. */
  span?: Span;
  resolve: (output: Out) => void;
  reject: (error: unknown) => void;
}

/** The lanes of this process that have work at the moment. */
const busy = new Set<{ readonly name: string; readonly depth: number; readonly stuckMs: number }>();
measureDepthOf(busy);

/** The longest time that a lane of this process has had work, and none of it has moved; in milliseconds. */
export const longestStuckMs = (): number => Math.max(0, ...[...busy].map(({ stuckMs }) => stuckMs));

export class Lane<In, Out> {
  private readonly waiting = new FairQueue<Member<In, Out>>();
  private running = false;
  private gathering: NodeJS.Timeout | undefined;
  /** This many waiting members end the gathering, and so does one of another turn. */
  private enough = 0;
  private gatheredTurn = '';
  readonly name: string;
  private readonly run: (batch: In[]) => Promise<Out[]>;
  private readonly turnOf: (input: In) => string;
  private readonly maxBatch: number;
  private readonly maxWaiting: number;
  private readonly maxWaitMs: number;
  /** When the lane last got work, or was done with some of it. */
  private movedAt = 0;
  private readonly gatherMs: number;
  private readonly failsTogether: (error: unknown) => boolean;

  constructor(options: LaneOptions<In, Out>) {
    this.name = options.name ?? UNNAMED;
    this.run = options.run;
    this.turnOf = options.turnOf ?? (() => '');
    this.maxBatch = options.maxBatch ?? DEFAULT_MAX_BATCH;
    this.maxWaiting = options.maxWaiting ?? DEFAULT_MAX_WAITING;
    this.maxWaitMs = options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS;
    this.gatherMs = options.gatherMs ?? 0;
    this.failsTogether = options.failsTogether ?? isCommon;
  }

  get depth(): number {
    return this.waiting.size;
  }

  /** While it has work. A failure that may pass is no movement. */
  get stuckMs(): number {
    return performance.now() - this.movedAt;
  }

  /** `alone` gives a suspicious member (one that was attempted before) a batch of its own. */
  submit(input: In, { alone = false }: { alone?: boolean } = {}): Promise<Out> {
    const turn = this.turnOf(input);
    if (this.isFullFor(turn)) return Promise.reject(new LaneFullError());
    return new Promise<Out>((resolve, reject) => {
      this.waiting.push(turn, traced(this.name, { input, turn, alone, since: performance.now(), resolve, reject }));
      if (this.gathering) {
        if (this.waiting.size >= this.enough || turn !== this.gatheredTurn) this.endGathering();
        return;
      }
      // The start is deferred, so that members of the same turn of the event loop are in the same batch.
      if (!this.running && this.waiting.size === 1) setImmediate(() => this.pump());
    });
  }

  private isFullFor(turn: string): boolean {
    const { size, width } = this.waiting;
    const own = this.waiting.sizeOf(turn);
    return size >= this.maxWaiting && own >= size / Math.max(1, own > 0 ? width : width + 1);
  }

  private pump(): void {
    if (this.gathering || this.running) return;
    this.refuseOverdue();
    if (this.waiting.size === 0) {
      busy.delete(this);
      return;
    }
    const batch = this.takeBatch();
    const began = performance.now();
    measureBatch(this.name, batch.length, began - earliestOf(batch));
    if (!busy.has(this)) this.movedAt = began;
    busy.add(this);
    this.running = true;
    void this.runBatch(batch).finally(() => {
      this.running = false;
      this.gatherAfter(batch, performance.now() - began);
      this.pump();
    });
  }

  /** Only one tenant waits for its own next members: others would wait for them in every lane of their way. */
  private gatherAfter(batch: readonly Member<In, Out>[], tookMs: number): void {
    if (this.gatherMs === 0 || batch.length < GATHER_FROM) return;
    this.gatheredTurn = batch[0]!.turn;
    this.enough = Math.min(2 * batch.length, this.maxBatch);
    const others = this.waiting.width - (this.waiting.sizeOf(this.gatheredTurn) > 0 ? 1 : 0);
    if (this.waiting.size >= this.enough || others > 0) return;
    if (batch.some(({ turn }) => turn !== this.gatheredTurn)) return;
    this.gathering = setTimeout(() => this.endGathering(), Math.min(this.gatherMs, tookMs)).unref();
  }

  private endGathering(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    setImmediate(() => this.pump());
  }

  private takeBatch(): Member<In, Out>[] {
    const batch = [this.waiting.take()!];
    if (batch[0]!.alone) return batch;
    while (batch.length < this.maxBatch && this.waiting.peek()?.alone === false) batch.push(this.waiting.take()!);
    return batch;
  }

  private async runBatch(batch: readonly Member<In, Out>[]): Promise<void> {
    const failure = await this.attempt(batch);
    if (!failure) return;
    if (batch.length === 1 || this.failsTogether(failure.error)) this.refuse(batch, failure.error);
    else await this.runAlone(batch);
  }

  private async runAlone(batch: readonly Member<In, Out>[]): Promise<void> {
    const left = [...batch];
    for (let member = left.shift(); member; member = left.shift()) {
      if (this.isOverdue(member)) {
        member.reject(new LaneFullError());
        continue;
      }
      const failure = await this.attempt([member]);
      if (failure)
        this.refuse(this.failsTogether(failure.error) ? [member, ...left.splice(0)] : [member], failure.error);
    }
  }

  /** Resolves the members, or returns why it could not. */
  private async attempt(batch: readonly Member<In, Out>[]): Promise<{ error: unknown } | undefined> {
    try {
      const outputs = await inBatch(
        `${this.name} batch`,
        batch.map(({ span }) => span),
        () => this.run(batch.map(({ input }) => input)),
      );
      if (outputs.length !== batch.length) throw new Error('a lane must answer every member of its batch');
      batch.forEach((member, index) => member.resolve(outputs[index]!));
      this.movedAt = performance.now();
      return undefined;
    } catch (error) {
      if (!isPassing(error)) this.movedAt = performance.now();
      return { error };
    }
  }

  private refuse(batch: readonly Member<In, Out>[], error: unknown): void {
    // Whoever waits would wait for the same server, as long as this batch did.
    const waiting = isUnreachable(error) ? this.waiting.takeFront(() => true) : [];
    for (const member of [...batch, ...waiting]) member.reject(error);
  }

  private refuseOverdue(): void {
    for (const member of this.waiting.takeFront((one) => this.isOverdue(one))) member.reject(new LaneFullError());
  }

  private isOverdue({ since }: Member<In, Out>): boolean {
    return performance.now() - since > this.maxWaitMs;
  }
}

function earliestOf(batch: readonly { since: number }[]): number {
  let earliest = Infinity;
  for (const { since } of batch) if (since < earliest) earliest = since;
  return earliest;
}

/** The member with a span that ends when the member is done. */
function traced<In, Out>(lane: string, member: Member<In, Out>): Member<In, Out> {
  const span = startChild(lane);
  if (!span) return member;
  return {
    ...member,
    span,
    resolve: (output) => {
      span.end();
      member.resolve(output);
    },
    reject: (error) => {
      span.fail(error);
      span.end();
      member.reject(error);
    },
  };
}
