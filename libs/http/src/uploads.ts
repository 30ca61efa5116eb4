/** How many bodies of one tenant are read at the same time: each is kept in memory until its last byte has come. */
import { Problem } from '@shop/problem';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from './api-keys';
import { announcesBody, refuse } from './problem.filter';

/** Nearly all bodies come together with their headers, so even a crowd of clients has only a few under way. */
const MAX_UPLOADS_PER_TENANT = 256;

/** To be called behind `askWhoCalls`. */
export function boundUploads(fastify: FastifyInstance): void {
  const uploads = new Map<string, number>();
  fastify.addHook('onRequest', (request: FastifyRequest & { caller?: Caller }, reply, done) => {
    const { caller, headers, raw } = request;
    if (!caller || !announcesBody(headers)) return done();
    const { tenant } = caller;
    const count = uploads.get(tenant) ?? 0;
    if (count >= MAX_UPLOADS_PER_TENANT) return refuse(request, reply, tooMany());
    uploads.set(tenant, count + 1);
    let under = true;
    const end = () => {
      if (!under) return;
      under = false;
      const left = uploads.get(tenant)! - 1;
      if (left > 0) uploads.set(tenant, left);
      else uploads.delete(tenant);
    };
    // A body that nobody wants is not read to its end.
    raw.once('end', end).once('close', end);
    reply.raw.once('finish', end);
    done();
  });
}

const tooMany = () =>
  new Problem(429, 'too_many_uploads', 'too many requests of yours have bodies that are not complete', {
    headers: { 'retry-after': '1' },
  });
