/**
 * How a request to the provider may be made again. Pure.
 *
 * The provider remembers an idempotency key for a day. Until then, asking twice under one key moves money once. After
 * that, a request under the same key is a new one, and a charge would be a second charge. So whoever asks again first
 * looks at what the provider shows. What is found counts. If nothing is found, the age of the first request decides.
 */

const HOUR_MS = 3_600_000;

/** Providers remember an idempotency key for a day. One hour of it is kept as a reserve. */
const KEY_MEMORY_MS = 23 * HOUR_MS;
/**
 * A charge is shown up to an hour late. Nobody asks under the key after `KEY_MEMORY_MS`, so by this time every charge is
 * shown, with another hour as a reserve.
 */
const ALL_SHOWN_MS = KEY_MEMORY_MS + 2 * HOUR_MS;

export interface Asked {
  /** Whether the same was asked before and the answer was lost. */
  askedBefore: boolean;
  /** The time since the key was used for the first time, by the clock of the database. */
  ageMs: number;
}

export type Memory =
  /** It was never asked. */
  | 'new'
  /** The provider knows the key. It is safe to ask under it. */
  | 'remembered'
  /** The provider may have forgotten the key, and may not show the charge yet. */
  | 'fading'
  /** The provider has forgotten the key, and shows all that was asked under it. */
  | 'forgotten';

export function memoryOf({ askedBefore, ageMs }: Asked): Memory {
  if (ageMs >= ALL_SHOWN_MS) return 'forgotten';
  if (ageMs >= KEY_MEMORY_MS) return 'fading';
  return askedBefore ? 'remembered' : 'new';
}

/** Nobody expects money to be taken so long after it was asked for. */
export const isTooLate = ({ ageMs }: Pick<Asked, 'ageMs'>): boolean => ageMs >= KEY_MEMORY_MS;
