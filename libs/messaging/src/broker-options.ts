/** How a service proves to the broker who it is, and how it knows the broker. */
import { readFileSync } from 'node:fs';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import {
  type Authenticator,
  credsAuthenticator,
  errors,
  type NodeConnectionOptions,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';

/** A user and its password, or a file with a token and a key as `nsc` makes it. */
export interface Credentials {
  user?: string;
  password?: string;
  /** Its content is the password. It is read for each new connection, so the file may change. */
  passwordFile?: string;
  credentialsFile?: string;
}

/** Files in the PEM format, which are read for each new connection. The last two are for a broker that asks for a certificate of its clients. */
export interface Tls {
  caFile?: string;
  certFile?: string;
  keyFile?: string;
}

/** @throws Error in one sentence when a file cannot be read */
export function connectionOf(url: string, credentials: Credentials = {}, tls: Tls = {}): NodeConnectionOptions {
  const servers = url.split(',').map((one) => one.trim());
  const files = Object.values(tls).filter((file): file is string => file !== undefined);
  // The client reads them later, and then nobody would be told which one is missing.
  files.forEach(read);
  const isEncrypted = files.length > 0 || servers.some((one) => one.startsWith('tls://'));
  // The client hands to Node what it does not know itself.
  const checked = { ...tls, checkServerIdentity: identityOf(servers.map(hostOf)) };
  return {
    servers: servers.map(withoutUser),
    ...loginOf(servers[0]!, credentials),
    ...(isEncrypted ? { tls: checked } : {}),
  };
}

function loginOf(address: string, { user, password, passwordFile, credentialsFile }: Credentials): Login {
  if (credentialsFile !== undefined) {
    read(credentialsFile);
    return {
      authenticator: (nonce) => credsAuthenticator(new TextEncoder().encode(read(credentialsFile)))(nonce),
    };
  }
  if (user === undefined) return userIn(address);
  if (passwordFile === undefined) return { user, pass: password };
  read(passwordFile);
  return { authenticator: usernamePasswordAuthenticator(user, () => read(passwordFile).trimEnd()) };
}

type Login = { user?: string; pass?: string } | { authenticator: Authenticator };

/**
 * The client tells Node no name for a server that is addressed by a number, and Node takes `localhost` for it. So anybody
 * with a certificate for that name would be taken for our broker.
 */
function identityOf(hosts: string[]): (name: string, certificate: PeerCertificate) => Error | undefined {
  return (name, certificate) => {
    const faults = (name === 'localhost' ? hosts : [name]).map((host) => checkServerIdentity(host, certificate));
    return faults.includes(undefined) ? undefined : faults[0];
  };
}

const hostOf = (address: string): string =>
  withoutUser(address)
    .replace(/^\w+:\/\//, '')
    .replace(/:\d+\/?$/, '')
    .replaceAll(/[[\]/]/g, '');

/** The client takes no user from an address. */
function userIn(address: string): { user?: string; pass?: string } {
  if (!withoutUser(address).includes('://') || !address.includes('@')) return {};
  const { username, password } = new URL(address);
  return username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {};
}

/** Also for the log: an address may carry a password. */
export const withoutUser = (address: string): string => address.replaceAll(/\/\/[^/,]*@/g, '//');

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw Object.assign(new Error(`the file ${file} for the broker cannot be read (${code})`), { code });
  }
}

/** Of OpenSSL and Node, about the certificate of the other side. */
const NOT_TRUSTED = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_)/;

/** The words of the client. */
const NO_TLS = "server does not support 'tls'";

/** True when waiting does not help: the broker shows a wrong certificate, or does not encrypt. */
export function isNotTrusted(error: unknown): error is Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const isPlain = error instanceof errors.ConnectionError && message === NO_TLS;
  return isPlain || NOT_TRUSTED.test(String(code));
}

/** A broker that misses our certificate closes the connection, and the client does not hear why. */
export function reasonOf(error: Error, { tls }: NodeConnectionOptions): string {
  const { message } = error;
  if (!tls || !(error instanceof errors.TimeoutError)) return message;
  return tls.certFile === undefined
    ? `${message}; it may ask for a certificate: set NATS_CERT_FILE and NATS_KEY_FILE`
    : `${message}; it may not know the authority of the certificate in NATS_CERT_FILE`;
}
