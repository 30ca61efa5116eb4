/**
 * A queue that serves its lines in turn: whoever has a line of thousands waits behind them, and nobody else does.
 *
 * Within a line, who came first is served first.
 */

/** An array whose front can be taken without moving the rest. */
interface Line<T> {
  items: T[];
  /** Where the front is. */
  head: number;
}

/** A front of so many taken items is cut off, if it is most of the line. */
const CUT_FROM = 64;

export class FairQueue<T> {
  /** In the order of their turns. No line is empty. */
  private readonly lines = new Map<string, Line<T>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The number of lines in which somebody waits. */
  get width(): number {
    return this.lines.size;
  }

  sizeOf(key: string): number {
    const line = this.lines.get(key);
    return line ? line.items.length - line.head : 0;
  }

  push(key: string, item: T): void {
    this.count++;
    const line = this.lines.get(key);
    if (line) line.items.push(item);
    else this.lines.set(key, { items: [item], head: 0 });
  }

  /** Who is served next. */
  peek(): T | undefined {
    for (const line of this.lines.values()) return frontOf(line);
    return undefined;
  }

  /** Takes the one who is served next. `isReady` may pass over lines: they keep their turns. */
  take(isReady: (key: string) => boolean = () => true): T | undefined {
    for (const [key, line] of this.lines) {
      if (!isReady(key)) continue;
      this.lines.delete(key);
      const item = this.cut(line);
      if (line.head < line.items.length) this.lines.set(key, line);
      return item;
    }
    return undefined;
  }

  /** Takes from the front of each line those for whom `leaves` is true, up to the first one for whom it is not. */
  takeFront(leaves: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (const [key, line] of this.lines) {
      while (line.head < line.items.length && leaves(frontOf(line))) taken.push(this.cut(line));
      if (line.head === line.items.length) this.lines.delete(key);
    }
    return taken;
  }

  private cut(line: Line<T>): T {
    const item = frontOf(line);
    this.count--;
    line.head++;
    if (line.head >= CUT_FROM && line.head * 2 > line.items.length) {
      line.items.splice(0, line.head);
      line.head = 0;
    }
    return item;
  }
}

const frontOf = <T>({ items, head }: Line<T>): T => items[head]!;
