/**
 * What can be done at an address: `Allow` for OPTIONS, 405 where the address is known and the method is not, and 404 for an
 * address that nobody serves. No body is read for them.
 */
import type { FastifyInstance } from 'fastify';
import { frameworkProblem, refuse } from './problem.filter';

interface Address {
  matches: RegExp;
  methods: Set<string>;
}

/** The route of the CORS library, which takes every OPTIONS. It has answered those that are a preflight. */
const EVERYWHERE = '*';

/** To be called before the routes are made. */
export function answerUnknownAddresses(fastify: FastifyInstance): void {
  const addresses = new Map<string, Address>();
  fastify.addHook('onRoute', ({ url, method }) => {
    if (url === EVERYWHERE) return;
    const address = addresses.get(url) ?? { matches: patternOf(url), methods: new Set(['OPTIONS']) };
    for (const name of [method].flat()) address.methods.add(name);
    addresses.set(url, address);
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.is404 && request.routeOptions.url !== EVERYWHERE) return done();
    const methods = methodsAt(request.url, [...addresses.values()]);
    if (methods.length === 0) return refuse(request, reply, frameworkProblem(404));
    void reply.header('allow', methods.join(', '));
    if (request.method === 'OPTIONS') void reply.status(204).send();
    else refuse(request, reply, frameworkProblem(405));
  });
}

function methodsAt(url: string, addresses: readonly Address[]): string[] {
  const [path = ''] = url.split('?', 1);
  const found = addresses.filter(({ matches }) => matches.test(path)).flatMap(({ methods }) => [...methods]);
  return [...new Set(found)].sort();
}

/** `/orders/:id` matches every address with some text in the place of `:id`; `*` matches the rest. */
function patternOf(url: string): RegExp {
  const literal = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replace(/:[^/]+/g, '[^/]+').replace(/\*/g, '.*')}$`);
}
