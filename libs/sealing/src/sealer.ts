/**
 * Seals texts that nobody may read where they are kept, and opens them where they are needed: AES-256-GCM.
 *
 * A sealed text is `sealed.v1.<id of the key>.<base64url of nonce, ciphertext and tag>`. It is bound to a place, such as
 * the order that it belongs to, and does not open anywhere else. The nonce is random, so that the same text is never
 * sealed twice into the same. A key must not seal more than some four thousand million texts (NIST SP 800-38D, 8.3).
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type DataKey, parseDataKeys } from './data-keys';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Of every sealed text, in whatever version. */
const PREFIX = 'sealed.';
const SEALED = /^sealed\.v1\.(?<id>[\w-]{1,32})\.(?<content>[\w-]+)$/;

/** Thrown when a sealed text cannot be opened: its key is not here, it belongs elsewhere, or somebody has changed it. */
export class UnopenedError extends Error {
  constructor(reason: string, cause?: unknown) {
    super(`the sealed text cannot be opened: ${reason}`, { cause });
    this.name = 'UnopenedError';
  }
}

export class Sealer {
  private readonly first: DataKey;
  private readonly keys: ReadonlyMap<string, DataKey>;

  /** @param dataKeys `id:base64`, with commas. The first key seals, all of them open. */
  constructor(dataKeys: string) {
    const keys = parseDataKeys(dataKeys);
    this.first = keys[0]!;
    this.keys = new Map(keys.map((key) => [key.id, key]));
  }

  seal(text: string, place: string): string {
    const { id, key } = this.first;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(place));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${PREFIX}v1.${id}.${sealed.toString('base64url')}`;
  }

  /** A text that is not sealed comes back as it is: a release before this one has written it. @throws UnopenedError */
  open(text: string, place: string): string {
    if (!text.startsWith(PREFIX)) return text;
    const { id, content } = SEALED.exec(text)?.groups ?? {};
    if (id === undefined) throw new UnopenedError('its form is not known here');
    const key = this.keys.get(id)?.key;
    if (!key) throw new UnopenedError(`DATA_KEYS has no key "${id}"`);
    const bytes = Buffer.from(content!, 'base64url');
    try {
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString();
    } catch (cause) {
      throw new UnopenedError(`the key "${id}" does not fit, or it was sealed for another place`, cause);
    }
  }
}
