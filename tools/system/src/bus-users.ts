/** The users of the bus, with the permissions that docker-compose has too, and passwords that only this start knows. */
import { randomBytes } from 'node:crypto';
import type { NatsAccess } from '@shop/stack';
import { readDockerFile } from './docker-file';

export interface BusLogin {
  user: string;
  password: string;
}

export interface BusUsers {
  access: NatsAccess;
  loginOf: (user: string) => BusLogin;
}

export function createBusUsers(): BusUsers {
  const passwords = new Map<string, string>();
  const passwordOf = (user: string): string => {
    // It starts with a letter: the broker would take digits for a number.
    const password = passwords.get(user) ?? `p${randomBytes(16).toString('hex')}`;
    passwords.set(user, password);
    return password;
  };
  const configuration = readDockerFile('nats.conf').replaceAll(/\$NATS_([A-Z]+)_PASSWORD/g, (_, user: string) =>
    JSON.stringify(passwordOf(user.toLowerCase())),
  );
  const loginOf = (user: string): BusLogin => ({ user, password: passwordOf(user) });
  return { access: { configuration, operator: loginOf('operator') }, loginOf };
}
