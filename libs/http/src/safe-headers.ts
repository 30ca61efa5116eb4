/** What browsers are told about every answer: to run nothing of it, to show it in no frame, and to keep no copy. */
import type { FastifyInstance } from 'fastify';

const NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** For the page of the API: its own scripts, and the styles that it writes into itself. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const SAFE = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': NOTHING,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Answers are about people: orders and payments. A route that says something else is obeyed.
  'cache-control': 'no-store',
};

/** @param hstsSeconds for so long browsers ask this host by HTTPS only; 0 when it is not known that they can */
export function safeHeaders(hstsSeconds: number): Record<string, string> {
  return hstsSeconds > 0 ? { ...SAFE, 'strict-transport-security': `max-age=${hstsSeconds}` } : SAFE;
}

/** To be called before other hooks are added, so that errors have them too. */
export function addToAll(fastify: FastifyInstance, headers: Record<string, string>): void {
  fastify.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers);
    done();
  });
}
