/**
 * A pace: so many pieces of work a second, so that what is done in bulk leaves the rest of its neighbour's strength to
 * others.
 *
 * Each taker gets its place in the order of the calls, at once when there is room, otherwise at its time. The whole state
 * is one instant: when everything that was taken so far is paid for.
 */
import { pause } from './pause';

export interface PaceOptions {
  /** How many pieces a second, on the average. It may be below one. */
  perSecond: number;
  /** How many pieces may go at once after a quiet time; one second's worth, and at least one, unless given. */
  burst?: number;
}

export class Pace {
  private readonly pieceMs: number;
  private readonly burstMs: number;
  private paidAtMs: number;

  constructor({ perSecond, burst = Math.max(1, perSecond) }: PaceOptions) {
    if (!(perSecond > 0 && Number.isFinite(perSecond) && burst > 0 && Number.isFinite(burst)))
      throw new RangeError(`a pace needs a rate and a burst above 0, not ${perSecond} a second and ${burst}`);
    this.pieceMs = 1_000 / perSecond;
    this.burstMs = burst * this.pieceMs;
    this.paidAtMs = performance.now() - this.burstMs;
  }

  /**
   * Resolves when `pieces` more may go. More than a burst may be taken at once: it waits for what is missing. Who is
   * aborted while waiting has used its place up, so that the pace is kept whatever happens.
   * @throws the reason of the signal
   */
  async take(pieces = 1, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const now = performance.now();
    this.paidAtMs = Math.max(this.paidAtMs, now - this.burstMs) + pieces * this.pieceMs;
    if (this.paidAtMs > now) await pause(this.paidAtMs - now, signal);
  }
}
