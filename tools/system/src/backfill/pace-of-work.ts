/** How fast a backfill works, and how long it will take, from what was seen of it. Pure but for what it has seen. */

/** What is older says nothing of now: the rate may have been changed since. */
const WINDOW_MS = 15_000;

interface Sight {
  atMs: number;
  worked: number;
}

export class PaceOfWork {
  private sights: Sight[] = [];

  /** @param atMs monotonic */
  see(atMs: number, worked: number): void {
    // It has been begun anew.
    if (worked < (this.sights.at(-1)?.worked ?? 0)) this.sights = [];
    this.sights.push({ atMs, worked });
    while (this.sights.length > 2 && this.sights[0]!.atMs < atMs - WINDOW_MS) this.sights.shift();
  }

  /** Rows a second; undefined while too little was seen. */
  get perSecond(): number | undefined {
    const [first, last] = [this.sights[0], this.sights.at(-1)];
    if (!first || !last || last.atMs === first.atMs) return undefined;
    return ((last.worked - first.worked) * 1_000) / (last.atMs - first.atMs);
  }

  secondsLeft(worked: number, estimate: number | null): number | undefined {
    const { perSecond } = this;
    if (estimate === null || !perSecond) return undefined;
    return Math.max(0, estimate - worked) / perSecond;
  }
}

/** Such as `1 h 02 min`, `3 min 20 s` or `8 s`. */
export function durationOf(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor((whole % 3_600) / 60)];
  const two = (count: number) => String(count).padStart(2, '0');
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${two(whole % 60)} s` : `${whole} s`;
}
