/** The list of keys that personal data is sealed with, as the configuration writes it: `id:base64`, with commas. Pure. */
import { createSecretKey, type KeyObject } from 'node:crypto';

export interface DataKey {
  id: string;
  key: KeyObject;
}

/** Known to everybody, so only for the machine of a developer. */
export const DEVELOPMENT_DATA_KEYS = `dev:${Buffer.from('only-for-development-not-secret!').toString('base64')}`;

/** AES-256. */
const KEY_BYTES = 32;
/** Of 32 random bytes, nearly all differ. A key with fewer was made by hand. */
const LEAST_DIFFERENT_BYTES = 16;
const ENTRY = /^(?<id>[\w-]{1,32}):(?<key>[A-Za-z0-9+/_-]+={0,2})$/;

/** The first key seals, all of them open. @throws Error that names the position of the faulty entry, never a key */
export function parseDataKeys(text: string): DataKey[] {
  const keys = bytesIn(text).map(({ id, bytes }) => ({ id, key: createSecretKey(bytes) }));
  if (keys.length === 0) throw new Error('must list at least one id:base64');
  return keys;
}

/** Why the list is not fit for production, by the positions of its entries; the list must be readable. */
export function weaknessesOfDataKeys(text: string): string[] {
  const [known] = bytesIn(DEVELOPMENT_DATA_KEYS);
  return bytesIn(text).flatMap(({ bytes }, index) => {
    const place = `entry ${index + 1} of DATA_KEYS`;
    if (bytes.equals(known!.bytes)) return [`${place} is the key of development`];
    return new Set(bytes).size < LEAST_DIFFERENT_BYTES ? [`${place} is not random`] : [];
  });
}

function bytesIn(text: string): { id: string; bytes: Buffer }[] {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
  const ids = new Set<string>();
  return entries.map((entry, index) => {
    const { id, key } = ENTRY.exec(entry)?.groups ?? {};
    const bytes = Buffer.from(key ?? '', 'base64');
    if (id === undefined || bytes.length !== KEY_BYTES) {
      throw new Error(`entry ${index + 1} must be id:base64, with ${KEY_BYTES} bytes in base64`);
    }
    if (ids.has(id)) throw new Error(`entry ${index + 1} has an id that another entry has`);
    ids.add(id);
    return { id, bytes };
  });
}
