/** The natural key: the name that an effect keeps for good, for the time after the ledger has forgotten its key. */
import { hash } from 'node:crypto';

/** One name for the key within its scope: 64 hexadecimal digits, safe to store, to send and to log. */
export function naturalKeyOf({ scope, key }: { scope: string; key: string }): string {
  return hash('sha256', `${scope}\n${key}`, 'hex');
}
