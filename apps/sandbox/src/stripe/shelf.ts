/** Objects of one kind in the order in which they were made; a new version takes the place of the old one. */
import { missing } from './stripe-error';

export class Shelf<T extends { id: string }> {
  private items: T[] = [];
  private positions = new Map<string, number>();

  /** @param kind as errors name it. */
  constructor(readonly kind: string) {}

  put(item: T): void {
    const position = this.positions.get(item.id);
    if (position !== undefined) {
      this.items[position] = item;
      return;
    }
    this.positions.set(item.id, this.items.length);
    this.items.push(item);
  }

  find(id: string): T | undefined {
    const position = this.positions.get(id);
    return position === undefined ? undefined : this.items[position];
  }

  /** @throws StripeError 404 that names the parameter with the id. */
  get(id: string, param = 'id'): T {
    const item = this.find(id);
    if (!item) throw missing(this.kind, id, { status: 404, param });
    return item;
  }

  /** Oldest first. */
  all(): readonly T[] {
    return this.items;
  }

  clear(): void {
    this.items = [];
    this.positions.clear();
  }
}
