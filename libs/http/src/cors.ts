/** Which pages in a browser may ask, and read the answers: those of the origins that the configuration lists (CORS). */
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Any origin. */
export const ANY_ORIGIN = '*';

/** Browsers ask for each route and method again after this time. */
const PREFLIGHT_KEPT_SECONDS = 600;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** What a page may send beside what every page may. */
const TAKEN = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Prefer',
  'Last-Event-ID',
  'traceparent',
];
/** What a page may read of an answer, beside its body and what every page may read. */
const SHOWN = [
  'Allow',
  'ETag',
  'Idempotent-Replayed',
  'Location',
  'Preference-Applied',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'traceparent',
  'WWW-Authenticate',
];

/** To be called before other hooks are added, so that a page can read errors too. Without origins, no page reads anything. */
export async function allowOrigins(fastify: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await fastify.register(cors, {
    delegator: (request: FastifyRequest, done: (error: null, options: FastifyCorsOptions) => void) =>
      done(null, answerTo(request, origins)),
  });
}

/** The key is in a header that only the page itself can set, so that no answer depends on cookies (`credentials`). */
export function answerTo(
  { method, headers }: Pick<FastifyRequest, 'method' | 'headers'>,
  origins: readonly string[],
): FastifyCorsOptions {
  const { origin } = headers;
  const isAny = origins.includes(ANY_ORIGIN);
  if (origin === undefined || !(isAny || origins.includes(origin))) return { origin: false };
  const allowed = isAny ? ANY_ORIGIN : origin;
  // Other OPTIONS ask what can be done at an address.
  const isPreflight = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
  if (!isPreflight) return { origin: allowed, preflight: false, exposedHeaders: SHOWN };
  return { origin: allowed, methods: METHODS, allowedHeaders: TAKEN, maxAge: PREFLIGHT_KEPT_SECONDS };
}

/** @throws Error that names what is no origin */
export function parseOrigins(text: string): string[] {
  const origins = text.split(',').flatMap((part) => part.trim() || []);
  for (const origin of origins) {
    if (origin !== ANY_ORIGIN && !isOrigin(origin)) throw new Error(`must list origins such as https://shop.example`);
  }
  return origins;
}

/** As a browser writes it: no path, no usual port, no capital letters. */
function isOrigin(text: string): boolean {
  return /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
