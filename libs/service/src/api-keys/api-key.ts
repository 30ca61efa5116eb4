/** What an API key may be, and the decision about one that somebody wants to add. Pure. */
import { type Caller, type Role, roles } from '@shop/http';
import { Problem } from '@shop/problem';

/** The name of a key, within its tenant. */
export const KEY_ID = /^[\w.-]{1,64}$/;
/** More live keys than a tenant needs, even while all of them are exchanged. */
export const MAX_KEYS_PER_TENANT = 200;
/** Every replica has all live keys in memory. */
export const MAX_KEYS = 10_000;

export interface KeyName {
  tenant: string;
  id: string;
}

/** What whoever makes a key says about it. The key itself is never sent. */
export interface WantedKey {
  /** Hex SHA-256 of the key. */
  sha256: string;
  principal: string;
  roles: Role[];
  expiresAt: Date | null;
}

export interface StoredKey extends KeyName, WantedKey {
  createdAt: Date;
  createdBy: string;
  revokedAt: Date | null;
  revokedBy: string | null;
  lastUsedAt: Date | null;
}

export interface Surroundings {
  /** Those with the same name or the same hash. */
  alike: readonly StoredKey[];
  /** Whether a key of the environment has the hash. */
  isInEnvironment: boolean;
  /** How many keys are live. */
  live: { ofTenant: number; all: number };
  /** By the clock of the database. */
  now: Date;
}

/** @throws Problem 403 `forbidden` for another tenant, unless the caller runs the system */
export function tenantFor({ tenant, roles: own }: Caller, asked: string | undefined): string {
  if (asked === undefined || asked === tenant || own.includes('platform')) return asked ?? tenant;
  throw new Problem(403, 'forbidden', 'the keys of another tenant need the role platform');
}

/** @throws Problem 403 `role_not_held`: nobody hands out what they do not have */
export function checkGrant(caller: Caller, wanted: readonly Role[]): void {
  const missing = wanted.filter((role) => !caller.roles.includes(role));
  if (missing.length === 0) return;
  throw new Problem(403, 'role_not_held', `you do not have ${missing.join(', ')} yourself`);
}

/** Returns the same key when it is there already. @throws Problem 409 or 422 when it cannot be added */
export function findOrAllow(name: KeyName, wanted: WantedKey, there: Surroundings): StoredKey | undefined {
  const { alike, isInEnvironment, live, now } = there;
  const same = alike.find(({ tenant, id }) => tenant === name.tenant && id === name.id);
  if (same) {
    if (!isEqual(same, wanted)) throw new Problem(409, 'api_key_id_conflict', 'another key has this id');
    if (same.revokedAt) throw new Problem(409, 'api_key_revoked', 'this key was revoked, and stays so');
    return same;
  }
  if (alike.length > 0 || isInEnvironment) {
    throw new Problem(409, 'api_key_taken', 'there is a key with this hash already; make a new one');
  }
  if (wanted.expiresAt && wanted.expiresAt <= now) {
    throw new Problem(422, 'expires_in_the_past', 'the key would have expired already');
  }
  if (live.ofTenant >= MAX_KEYS_PER_TENANT || live.all >= MAX_KEYS) {
    throw new Problem(422, 'too_many_api_keys', 'there are too many keys; revoke those that nobody uses');
  }
  return undefined;
}

/** The roles in their usual order, each once. */
export const inOrder = (wanted: readonly Role[]): Role[] => roles.filter((role) => wanted.includes(role));

function isEqual(there: StoredKey, wanted: WantedKey): boolean {
  return (
    there.sha256 === wanted.sha256 &&
    there.principal === wanted.principal &&
    inOrder(there.roles).join() === inOrder(wanted.roles).join() &&
    there.expiresAt?.getTime() === wanted.expiresAt?.getTime()
  );
}
