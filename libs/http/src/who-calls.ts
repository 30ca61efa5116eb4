/** The first look at a request: who calls, by an API key or a token. A stranger is answered before its body is read. */
import { Problem } from '@shop/problem';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ApiKey, type Caller, hashOf, type RouteSettings } from './api-keys';
import { refuse } from './problem.filter';
import { readerFor } from './service-keys';

/** What stands behind `Bearer`. */
export interface Credential {
  text: string;
  /** Hex SHA-256 of the text. */
  sha256: string;
}

/** A problem when nobody may call with it, or when it cannot be told now; undefined when somebody else may know it. */
type Known = Caller | Problem | undefined;

/**
 * Knows some of the callers. It answers at once whenever it can, because every request waits for it. When it cannot tell,
 * it says so itself, in its answer and in the log; a failure counts as that answer.
 */
export interface CallerSource {
  callerOf(credential: Credential): Known | Promise<Known>;
}

const RETRY_AFTER_SECONDS = '1';

/** Only a key of the environment can be one of a service. */
type KnownKey = Omit<ApiKey, 'sha256'>;

/** To be called before the routes are made. The sources are asked in this order, behind the keys. */
export function askWhoCalls(
  fastify: FastifyInstance,
  keys: readonly ApiKey[],
  sources: readonly CallerSource[] = [],
): void {
  const callers = new Map<string, KnownKey>(keys.map(({ sha256, ...caller }) => [sha256, caller]));
  const services = new Set<unknown>([...callers.values()].filter(({ isService }) => isService));
  const all = [{ callerOf: ({ sha256 }: Credential) => callers.get(sha256) }, ...sources];
  fastify.addHook('onRequest', (request: FastifyRequest & { caller?: Caller }, reply, done) => {
    const { public: isPublic } = request.routeOptions.config as RouteSettings;
    if (isPublic) return done();
    const decide = (found: Known): void => {
      const known = services.has(found) ? readerFor((found as KnownKey).principal, request) : found;
      if (known === undefined || known instanceof Problem) return refuse(request, reply, known ?? stranger());
      request.caller = known;
      done();
    };
    const known = authenticate(all, request.headers.authorization);
    if (known instanceof Promise) known.catch(() => cannotTell()).then(decide, done);
    else decide(known);
  });
}

function authenticate(sources: readonly CallerSource[], header: string | undefined): Known | Promise<Known> {
  if (!header) return unauthenticated('send Authorization: Bearer <API key or token>');
  const text = /^Bearer +(\S+)$/i.exec(header)?.[1];
  return text === undefined ? undefined : firstToKnow(sources, { text, sha256: hashOf(text) });
}

function firstToKnow(sources: readonly CallerSource[], credential: Credential): Known | Promise<Known> {
  for (const [index, source] of sources.entries()) {
    const known = source.callerOf(credential);
    if (known instanceof Promise) {
      return known.then((caller) => caller ?? firstToKnow(sources.slice(index + 1), credential));
    }
    if (known) return known;
  }
  return undefined;
}

export const unauthenticated = (detail: string): Problem =>
  new Problem(401, 'unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer' } });

const stranger = (): Problem => unauthenticated('the API key is not known');

/** For a credential that may be good: those who could tell do not answer. */
export const cannotTell = (): Problem =>
  new Problem(503, 'unavailable', 'who calls cannot be told right now; the same request may come again', {
    headers: { 'retry-after': RETRY_AFTER_SECONDS },
  });
