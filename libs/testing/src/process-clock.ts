// A process whose clock is wrong.

/** From now on, `Date` in this process is this much ahead. Returns what puts it right. */
export function setClockAhead(ms: number): () => void {
  const right = Date;
  class WrongDate extends right {
    constructor(...values: unknown[]) {
      super(...((values.length > 0 ? values : [right.now() + ms]) as [number]));
    }

    static override now(): number {
      return right.now() + ms;
    }

    static override [Symbol.hasInstance](value: unknown): boolean {
      return Object.prototype.toString.call(value) === '[object Date]';
    }
  }
  globalThis.Date = WrongDate as DateConstructor;
  return () => {
    globalThis.Date = right;
  };
}
