/**
 * The keys that came by lately. A key that did not is new as a rule, so nothing need be read to learn that; one that did
 * is a repeat as a rule. It may be wrong either way: another replica saw it, or what was begun under it was rolled back.
 */
import { Recent } from '@shop/resilience';
import type { Key } from './ledger/ledger';
import { idOf } from './settle';

/** Some 150 bytes each. */
const MAX_KEYS = 20_000;

export class RecentKeys {
  private readonly ids: Recent<string>;

  constructor(max = MAX_KEYS) {
    this.ids = new Recent(max);
  }

  /** Whether the key comes for the first time; from now on it does not. */
  isNew(key: Key): boolean {
    const id = idOf(key);
    const isNew = !this.ids.has(id);
    this.ids.put(id, true);
    return isNew;
  }
}
