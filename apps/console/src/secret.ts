/** What sessions are sealed with: a secret of the configuration, or one of this process alone. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { Sealer } from '@shop/sealing';
import { operatorsError, secretIn } from '@shop/service';

const LEAST_LENGTH = 32;
const KEY_BYTES = 32;
const WEAK = { variable: 'CONSOLE_SECRET_FILE', code: 'WEAK_SECRET' };

export interface SecretSettings {
  CONSOLE_SECRET?: string;
  CONSOLE_SECRET_FILE?: string;
}

/** @throws Error of `operatorsError` when the file cannot be read, or has too little in it */
export function sessionSealer({ CONSOLE_SECRET, CONSOLE_SECRET_FILE }: SecretSettings): Sealer {
  const given = CONSOLE_SECRET_FILE === undefined ? CONSOLE_SECRET : secretIn(CONSOLE_SECRET_FILE, WEAK);
  if (given !== undefined && given.length < LEAST_LENGTH) {
    throw operatorsError(WEAK.code, `the secret of the console has fewer than ${LEAST_LENGTH} characters`);
  }
  const secret = given ?? randomBytes(KEY_BYTES);
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'shop console session', KEY_BYTES));
  return new Sealer(`console:${key.toString('base64')}`);
}

/** Why the console must not start in production: without a secret, a replica does not know the sessions of another. */
export function unfitSecret({ CONSOLE_SECRET, CONSOLE_SECRET_FILE }: SecretSettings): string[] {
  return CONSOLE_SECRET === undefined && CONSOLE_SECRET_FILE === undefined ? ['CONSOLE_SECRET is not set'] : [];
}
