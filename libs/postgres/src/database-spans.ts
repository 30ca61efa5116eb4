/**
 * The spans of the database: a transaction, or a statement by itself, within whatever asked for it. Background work that
 * nobody asked for has none. The names of our statements say what was done; their values are in no span.
 */
import { bounded, startChild } from '@shop/observability';
import type { DatabaseAddress } from './address';

/** So long may the names of all statements of a transaction be together. */
const MAX_SUMMARY = 255;

export function inStatement<T>(address: DatabaseAddress, name: string, work: () => Promise<T>): Promise<T> {
  const span = startChild(name, { kind: 'client' });
  if (!span) return work();
  span.set({ ...serverOf(address), 'db.query.summary': name });
  return span.over(work);
}

/** @param work calls what it is given with the name of each statement; without a span it is given nothing */
export async function inTransaction<T>(
  address: DatabaseAddress,
  work: (onStatement?: (name: string) => void) => Promise<T>,
): Promise<T> {
  const span = startChild('transaction', { kind: 'client' });
  if (!span) return work();
  span.set(serverOf(address));
  const names: string[] = [];
  return span.over(async () => {
    try {
      return await work((name) => names.push(name));
    } finally {
      span.set({ 'db.query.summary': names.join(' ').slice(0, MAX_SUMMARY) });
    }
  });
}

/** A query of TypeORM. Our own statements are no texts here. Its values are not in its text. */
export function asQuery(address: DatabaseAddress, text: unknown, send: () => unknown): unknown {
  const span = typeof text === 'string' ? startChild('query', { kind: 'client' }) : undefined;
  if (!span) return send();
  span.set({ ...serverOf(address), 'db.query.text': bounded(text as string) });
  const sent = send();
  if (sent instanceof Promise) sent.catch((error: unknown) => span.fail(error)).finally(() => span.end());
  else span.end();
  return sent;
}

const servers = new WeakMap<DatabaseAddress, Record<string, string | number>>();

function serverOf(address: DatabaseAddress): Record<string, string | number> {
  let server = servers.get(address);
  if (!server) {
    server = attributesOf(address);
    servers.set(address, server);
  }
  return server;
}

/** Without the user and the password that are in the address too. */
function attributesOf({ url }: DatabaseAddress): Record<string, string | number> {
  if (!URL.canParse(url)) return { 'db.system.name': 'postgresql' };
  const { hostname, port, pathname } = new URL(url);
  return {
    'db.system.name': 'postgresql',
    'db.namespace': pathname.slice(1),
    'server.address': hostname,
    'server.port': Number(port || 5_432),
  };
}
