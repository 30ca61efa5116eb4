/** Notices when this process did nothing for a while: it was paused, or busy. Then it is late itself, and not its clients. */

const BEAT_MS = 500;
/** A shorter one does no harm: every time limit of ours is much longer. */
const STALL_MS = 2_000;

export class Stalls {
  private lastBeat = performance.now();
  private endedAt = -Infinity;

  constructor() {
    setInterval(() => this.beat(), BEAT_MS).unref();
  }

  /** Whether a stall has just ended: what came in meanwhile may not have been read yet. */
  get isJustBack(): boolean {
    const now = performance.now();
    return now - this.lastBeat > STALL_MS || now - this.endedAt < BEAT_MS;
  }

  private beat(): void {
    const now = performance.now();
    if (now - this.lastBeat > STALL_MS) this.endedAt = now;
    this.lastBeat = now;
  }
}
