/** How a service proves to the broker who it is, and how it knows the broker. */
import { readFileSync } from 'node:fs';
import { credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node';

/** A user and its password, or a file with a token and a key as `nsc` makes it. */
export interface Credentials {
  user?: string;
  password?: string;
  /** Its content is the password. It is read at each start, so the file may change. */
  passwordFile?: string;
  credentialsFile?: string;
}

/** Files in the PEM format. The last two are for a broker that asks for a certificate of its clients. */
export interface Tls {
  caFile?: string;
  certFile?: string;
  keyFile?: string;
}

/** @throws Error in one sentence when a file cannot be read */
export function connectionOf(url: string, credentials: Credentials = {}, tls: Tls = {}): NodeConnectionOptions {
  const servers = url.split(',').map((one) => one.trim());
  const { user, password, passwordFile, credentialsFile } = credentials;
  const isNamed = user !== undefined || credentialsFile !== undefined;
  const given = isNamed
    ? { user, pass: passwordFile === undefined ? password : read(passwordFile).trimEnd() }
    : userIn(servers[0]!);
  return {
    servers: servers.map(withoutUser),
    ...given,
    ...(credentialsFile === undefined
      ? {}
      : { authenticator: credsAuthenticator(new TextEncoder().encode(read(credentialsFile))) }),
    ...(Object.values(tls).some((file) => file !== undefined) || servers.some((one) => one.startsWith('tls://'))
      ? { tls: { ca: contentOf(tls.caFile), cert: contentOf(tls.certFile), key: contentOf(tls.keyFile) } }
      : {}),
  };
}

/** The client takes no user from an address. */
function userIn(address: string): { user?: string; pass?: string } {
  if (!withoutUser(address).includes('://') || !address.includes('@')) return {};
  const { username, password } = new URL(address);
  return username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {};
}

/** Also for the log: an address may carry a password. */
export const withoutUser = (address: string): string => address.replaceAll(/\/\/[^/,]*@/g, '//');

const contentOf = (file: string | undefined): string | undefined => (file === undefined ? undefined : read(file));

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw Object.assign(new Error(`the file ${file} for the broker cannot be read (${code})`), { code });
  }
}
