/**
 * How many requests of a minute are served: of each principal, of each tenant, and without a good key from each address.
 * The counts are in the memory of this process, so they are those of one replica. Of each kind, the library keeps 5,000:
 * whoever was seen longest ago is forgotten, so a flood of new addresses takes no more memory.
 */
import rateLimit from '@fastify/rate-limit';
import { counter } from '@shop/observability';
import { Problem } from '@shop/problem';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, RouteSettings } from './api-keys';
import { refuse } from './problem.filter';

/** Requests a minute; 0 is no limit. */
export interface RateLimits {
  principal: number;
  tenant: number;
  /**
   * Requests that are answered 401, or 400 on a route that is open to everybody (a signature is wrong there), from one
   * address (of IPv6: one /64 network).
   */
  stranger: number;
}

export const NO_LIMITS: RateLimits = { principal: 0, tenant: 0, stranger: 0 };

const WINDOW_MS = 60_000;

type Asked = FastifyRequest & { caller?: Caller };

const limited = counter('http_requests_limited_total', 'Requests that were refused because there were too many', [
  'limit',
]);

/** To be called behind `askWhoCalls`: what is counted is who calls. No body has been read then. */
export async function limitRates(fastify: FastifyInstance, limits: RateLimits, windowMs = WINDOW_MS): Promise<void> {
  await fastify.register(rateLimit, { global: false, timeWindow: windowMs });
  limitCallers(fastify, limits, windowMs);
  if (limits.stranger > 0) limitStrangers(fastify, limits.stranger);
}

const keyOf = {
  principal: ({ tenant, principal }: Caller) => `${tenant}/${principal}`,
  tenant: ({ tenant }: Caller) => tenant,
};

/** Tells each caller what is left, as draft-ietf-httpapi-ratelimit-headers-10 has it. Routes without a key are not counted. */
function limitCallers(fastify: FastifyInstance, limits: RateLimits, windowMs: number): void {
  const names = (['principal', 'tenant'] as const).filter((name) => limits[name] > 0);
  if (names.length === 0) return;
  const counts = names.map((name) => {
    const keyGenerator = (request: Asked) => keyOf[name](request.caller!);
    return { name, count: fastify.createRateLimit({ max: limits[name], keyGenerator }) };
  });
  const policy = names.map((name) => `"${name}";q=${limits[name]};w=${Math.ceil(windowMs / 1_000)}`).join(', ');
  fastify.addHook('onRequest', async (request: Asked, reply) => {
    if (!request.caller) return undefined;
    void reply.header('ratelimit-policy', policy);
    let left = '';
    for (const { name, count } of counts) {
      const now = await count(request);
      // This is the library's word for those whom it does not count.
      if (now.isAllowed) continue;
      left += `${left && ', '}"${name}";r=${now.remaining};t=${now.ttlInSeconds}`;
      if (!now.isExceeded) continue;
      limited.inc({ limit: name });
      refuse(request, reply.header('ratelimit', left), tooMany(`your ${name} has`, now.ttlInSeconds));
      return reply;
    }
    void reply.header('ratelimit', left);
    return undefined;
  });
}

/**
 * Whoever sends many bad keys learns nothing more about them, and has to connect again each time. A good key is always
 * good, because many clients may share an address, such as that of a proxy.
 */
function limitStrangers(fastify: FastifyInstance, max: number): void {
  const count = fastify.createRateLimit({ max });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (!isOfStranger(request, reply)) return done(null, payload);
    count(request).then((now) => {
      if (now.isAllowed || !now.isExceeded) return done(null, payload);
      limited.inc({ limit: 'stranger' });
      const { body, headers } = tooMany('your address has', now.ttlInSeconds, ' without a good key');
      void reply.status(429).headers({ ...headers, connection: 'close' });
      void reply.removeHeader('www-authenticate').removeHeader('content-length');
      done(null, JSON.stringify(body));
    }, done);
  });
}

function isOfStranger(request: FastifyRequest, { statusCode }: FastifyReply): boolean {
  return (
    statusCode === 401 ||
    (statusCode === 400 && (request.routeOptions.config as RouteSettings | undefined)?.public === true)
  );
}

function tooMany(who: string, seconds: number, what = ''): Problem {
  const detail = `${who} sent too many requests${what} in this minute; Retry-After says when the next one begins`;
  return new Problem(429, 'rate_limited', detail, { headers: { 'retry-after': `${Math.max(1, seconds)}` } });
}
