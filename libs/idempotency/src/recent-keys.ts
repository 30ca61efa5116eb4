/**
 * The keys that came by lately. A key that did not is new as a rule, so nothing need be read to learn that; one that did
 * is a repeat as a rule. It may be wrong either way: another replica saw it, or what was begun under it was rolled back.
 */
import { idOf } from './settle';
import type { Key } from './ledger/ledger';

/** Some 150 bytes each. */
const MAX_KEYS = 20_000;

export class RecentKeys {
  private young = new Set<string>();
  private old = new Set<string>();

  /** It remembers between half of `max` and all of it. */
  constructor(private readonly max = MAX_KEYS) {}

  /** Whether the key comes for the first time; from now on it does not. */
  isNew(key: Key): boolean {
    const id = idOf(key);
    const known = this.young.has(id) || this.old.has(id);
    this.young.add(id);
    if (this.young.size * 2 >= this.max) {
      this.old = this.young;
      this.young = new Set();
    }
    return !known;
  }
}
