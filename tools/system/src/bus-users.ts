/** The users of the bus, with the permissions that docker-compose has too, and passwords that only this start knows. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { NatsAccess } from '@shop/stack';

export interface BusLogin {
  user: string;
  password: string;
}

export interface BusUsers {
  access: NatsAccess;
  loginOf: (user: string) => BusLogin;
}

/** Whether this file runs from its source (in tests) or from the build. */
const HERE = __dirname.split(sep);
const ROOT = HERE.slice(0, HERE.lastIndexOf('tools')).filter((part, at, all) => part !== 'dist' || at < all.length - 1);
const FILE = join(ROOT.join(sep), 'docker', 'nats.conf');

export function createBusUsers(): BusUsers {
  const passwords = new Map<string, string>();
  const passwordOf = (user: string): string => {
    // It starts with a letter: the broker would take digits for a number.
    const password = passwords.get(user) ?? `p${randomBytes(16).toString('hex')}`;
    passwords.set(user, password);
    return password;
  };
  const configuration = readFileSync(FILE, 'utf8').replaceAll(/\$NATS_([A-Z]+)_PASSWORD/g, (_, user: string) =>
    JSON.stringify(passwordOf(user.toLowerCase())),
  );
  const loginOf = (user: string): BusLogin => ({ user, password: passwordOf(user) });
  return { access: { configuration, operator: loginOf('operator') }, loginOf };
}
