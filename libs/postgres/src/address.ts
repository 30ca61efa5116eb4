/**
 * Where a database is, and how both ends prove who they are.
 *
 * The files are read again for each new connection. So a password or a certificate that was changed is in use from the
 * next connection on, and nobody has to start again.
 */
import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

export interface DatabaseAddress {
  url: string;
  /** Its content is the password, instead of that in the URL. */
  passwordFile?: string;
  tls?: DatabaseTls;
}

/** Files in the PEM format. The last two are for a server that asks for a certificate of its clients. */
export interface DatabaseTls {
  caFile?: string;
  certFile?: string;
  keyFile?: string;
}

/** Thrown when an address says something that we do not do, or names a file that cannot be read. */
export class DatabaseAddressError extends Error {
  readonly code = 'DATABASE_ADDRESS';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DatabaseAddressError';
  }
}

/**
 * The longest wait for a new connection, or for a place in the pool, in milliseconds: what the URL says in seconds, as
 * `connect_timeout` of libpq, or three seconds.
 */
export function connectTimeoutMsOf(address: DatabaseAddress): number {
  try {
    return readAddress(address).connectTimeoutMs;
  } catch (error) {
    // Whoever connects is told what is wrong.
    if (error instanceof DatabaseAddressError) return CONNECT_TIMEOUT_SECONDS * 1_000;
    throw error;
  }
}

/** What `pg` needs for one connection. @throws DatabaseAddressError, which repeats neither the address nor a secret */
export function clientConfigOf(address: DatabaseAddress): ClientConfig {
  const { url, mode, files } = readAddress(address);
  const { passwordFile } = address;
  if (mode === 'disable' && files) {
    throw new DatabaseAddressError('sslmode=disable of the database and files for TLS exclude each other');
  }
  const password = passwordFile === undefined ? {} : { password: read(passwordFile).trimEnd() };
  return { ...parse(url), ...password, ssl: files ? tlsOf(files) : false };
}

/** What the URL says that we do not do, in words for whoever wrote it; undefined if nothing. */
export function faultOfDatabaseUrl(url: string): string | undefined {
  try {
    readAddress({ url });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The role that works with the database. @throws DatabaseAddressError when the address does not name it */
export function userOf(address: DatabaseAddress): string {
  const { user } = parse(readAddress(address).url);
  if (user) return user;
  throw new DatabaseAddressError('the address of the database has to name its user');
}

/** True when passwords and data would cross a network as plain text, and nobody has said that this is meant. */
export function isInTheClear(address: DatabaseAddress): boolean {
  const { url, mode, files } = readAddress(address);
  return files === undefined && mode === undefined && !isThisMachine(parse(url).host ?? '');
}

const isThisMachine = (host: string): boolean => /^(|localhost|127\.[\d.]+|::1|\/.*)$/.test(host);

/**
 * The names are those of libpq. But there most modes do not check who answers, and `pg` gives some of them another
 * meaning, which its next version will change. So here are only the two that cannot be misunderstood.
 */
const MODES = ['disable', 'verify-full'];
const NOT_TAKEN = ['ssl', 'uselibpqcompat'];
/** Clients should know within ten seconds that nothing can be done. */
const CONNECT_TIMEOUT_SECONDS = 3;
const LONGEST_CONNECT_TIMEOUT_SECONDS = 60;

interface Read {
  /** Without what it says about TLS and about waiting. */
  url: string;
  connectTimeoutMs: number;
  mode: string | undefined;
  /** Undefined without TLS. */
  files: DatabaseTls | undefined;
}

/** What the URL says counts before the common settings, because it is about this database alone. */
function readAddress({ url, tls = {} }: DatabaseAddress): Read {
  const [base, search = ''] = cut(url, '?');
  const parameters = new URLSearchParams(search);
  const take = (name: string): string | undefined => {
    const value = parameters.get(name) ?? '';
    parameters.delete(name);
    return value === '' ? undefined : value;
  };
  if (NOT_TAKEN.some((name) => parameters.has(name))) throw wrongMode();
  const mode = take('sslmode');
  if (mode !== undefined && !MODES.includes(mode)) throw wrongMode();
  const caFile = take('sslrootcert') ?? tls.caFile;
  const certFile = take('sslcert') ?? tls.certFile;
  const keyFile = take('sslkey') ?? tls.keyFile;
  const connectTimeoutMs = 1_000 * secondsOf(take('connect_timeout'));
  const isWanted = mode === 'verify-full' || (caFile ?? certFile ?? keyFile) !== undefined;
  const rest = parameters.size > 0 ? `?${parameters.toString()}` : '';
  return { url: base + rest, connectTimeoutMs, mode, files: isWanted ? { caFile, certFile, keyFile } : undefined };
}

/** Libpq takes 0 and nothing for "for ever", which we never wait. */
function secondsOf(text = String(CONNECT_TIMEOUT_SECONDS)): number {
  const seconds = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= LONGEST_CONNECT_TIMEOUT_SECONDS) return seconds;
  throw new DatabaseAddressError(
    `may say connect_timeout in whole seconds, from 1 to ${LONGEST_CONNECT_TIMEOUT_SECONDS}`,
  );
}

const wrongMode = () =>
  new DatabaseAddressError(
    'may say sslmode=verify-full or sslmode=disable, and no other mode: those do not check who answers',
  );

/** It never takes an unencrypted connection, nor one to a server whose certificate does not name its host. */
function tlsOf({ caFile, certFile, keyFile }: DatabaseTls): ClientConfig['ssl'] {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new DatabaseAddressError('the certificate of a client of the database and its key are given together');
  }
  return {
    // Said, because a variable of Node could switch it off.
    rejectUnauthorized: true,
    ca: contentOf(caFile),
    cert: contentOf(certFile),
    key: contentOf(keyFile),
  };
}

function parse(url: string): ClientConfig {
  try {
    return parseIntoClientConfig(url);
  } catch (error) {
    // Its cause has the address in it.
    throw new DatabaseAddressError(`the address of the database cannot be read (${(error as Error).message})`);
  }
}

const contentOf = (file: string | undefined): string | undefined => (file === undefined ? undefined : read(file));

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DatabaseAddressError(`the file ${file} for the database cannot be read (${code})`, error);
  }
}

function cut(text: string, at: string): [string, string?] {
  const place = text.indexOf(at);
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)];
}
