/**
 * A lane runs one batch at a time. What arrives while a batch runs is the next batch.
 *
 * An idle lane starts at once with a batch of one, and batches grow with the load. A lane that gathers waits after a
 * large batch. It waits for a batch that is twice as large, but not longer than the last batch took: under load, each
 * batch has a fixed cost. If a batch fails, its members run alone, so one bad member cannot block the others.
 */
import { isConnectionFailure } from './pg-errors';

export interface LaneOptions<In, Out> {
  /** Returns one output for each input, in the same order. */
  run: (batch: In[]) => Promise<Out[]>;
  /** The most members of one batch. */
  maxBatch?: number;
  /** The most waiting members. When there are more, `submit` throws LaneFullError. */
  maxWaiting?: number;
  /**
   * The longest wait in milliseconds for more members after a batch of eight or more. 0 starts the next batch at once.
   */
  gatherMs?: number;
  /**
   * True for a failure that is not caused by the members, such as a server that is away. Then all members fail with it.
   */
  failsTogether?: (error: unknown) => boolean;
}

/** Thrown when a lane has the most waiting members that it may have. The caller should try again later. */
export class LaneFullError extends Error {
  constructor() {
    super('too much work is waiting; try again later');
    this.name = 'LaneFullError';
  }
}

/** Larger batches save nothing more by sharing the commit, and everybody waits longer. */
const DEFAULT_MAX_BATCH = 128;
const DEFAULT_MAX_WAITING = 2_000;
/** After a smaller batch nobody waits, because the load is low. */
const GATHER_FROM = 8;
/** For lanes whose batches are transactions. docs/performance.md says what it saves. */
export const GATHER_MS = 16;

interface Member<In, Out> {
  input: In;
  alone: boolean;
  resolve: (output: Out) => void;
  reject: (error: unknown) => void;
}

export class Lane<In, Out> {
  private waiting: Member<In, Out>[] = [];
  private running = false;
  private gathering: NodeJS.Timeout | undefined;
  /** This many waiting members end the gathering. */
  private enough = 0;
  private readonly run: (batch: In[]) => Promise<Out[]>;
  private readonly maxBatch: number;
  private readonly maxWaiting: number;
  private readonly gatherMs: number;
  private readonly failsTogether: (error: unknown) => boolean;

  constructor(options: LaneOptions<In, Out>) {
    this.run = options.run;
    this.maxBatch = options.maxBatch ?? DEFAULT_MAX_BATCH;
    this.maxWaiting = options.maxWaiting ?? DEFAULT_MAX_WAITING;
    this.gatherMs = options.gatherMs ?? 0;
    this.failsTogether = options.failsTogether ?? isConnectionFailure;
  }

  get depth(): number {
    return this.waiting.length;
  }

  /** `alone` gives a suspicious member (one that was attempted before) a batch of its own. */
  submit(input: In, { alone = false }: { alone?: boolean } = {}): Promise<Out> {
    if (this.waiting.length >= this.maxWaiting) return Promise.reject(new LaneFullError());
    return new Promise<Out>((resolve, reject) => {
      this.waiting.push({ input, alone, resolve, reject });
      if (this.gathering) {
        if (this.waiting.length >= this.enough) this.endGathering();
        return;
      }
      // The start is deferred, so that members of the same turn of the event loop are in the same batch.
      if (!this.running && this.waiting.length === 1) setImmediate(() => this.pump());
    });
  }

  private pump(): void {
    if (this.gathering || this.running || this.waiting.length === 0) return;
    const batch = this.takeBatch();
    const began = performance.now();
    this.running = true;
    void this.runBatch(batch).finally(() => {
      this.running = false;
      this.gatherAfter(batch.length, performance.now() - began);
      this.pump();
    });
  }

  private gatherAfter(size: number, tookMs: number): void {
    if (this.gatherMs === 0 || size < GATHER_FROM) return;
    this.enough = Math.min(2 * size, this.maxBatch);
    if (this.waiting.length >= this.enough) return;
    this.gathering = setTimeout(() => this.endGathering(), Math.min(this.gatherMs, tookMs)).unref();
  }

  private endGathering(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    setImmediate(() => this.pump());
  }

  private takeBatch(): Member<In, Out>[] {
    let size = 1;
    if (!this.waiting[0]!.alone) {
      const limit = Math.min(this.waiting.length, this.maxBatch);
      while (size < limit && !this.waiting[size]!.alone) size++;
    }
    return this.waiting.splice(0, size);
  }

  private async runBatch(batch: Member<In, Out>[]): Promise<void> {
    try {
      const outputs = await this.run(batch.map((member) => member.input));
      if (outputs.length !== batch.length) throw new Error('a lane must answer every member of its batch');
      batch.forEach((member, index) => member.resolve(outputs[index]!));
    } catch (error) {
      if (batch.length === 1 || this.failsTogether(error)) batch.forEach((member) => member.reject(error));
      else for (const member of batch) await this.runBatch([member]);
    }
  }
}
