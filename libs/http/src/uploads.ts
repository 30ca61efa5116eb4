/**
 * How many bodies of one tenant, or of all strangers, are read at the same time: each is kept in memory until its last byte
 * has come.
 */
import { Problem } from '@shop/problem';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller, RouteSettings } from './api-keys';
import { announcesBody, refuse } from './problem.filter';

/** Nearly all bodies come together with their headers, so even a crowd of clients has only a few under way. */
const MAX_UPLOADS_PER_TENANT = 256;
/** On routes that are open to everybody. What a stranger keeps open ends after some seconds, see `createLobby`. */
const MAX_UPLOADS_OF_STRANGERS = 64;
/** No tenant is called so. */
const STRANGERS = '';

/** A route may take longer bodies than the others, or shorter ones. To be called before the routes are made. */
export function limitRawBodies(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const { rawBody } = (route.config ?? {}) as RouteSettings;
    if (rawBody) route.bodyLimit = rawBody.maxBytes;
  });
}

/** To be called behind `askWhoCalls`. */
export function boundUploads(fastify: FastifyInstance): void {
  const uploads = new Map<string, number>();
  fastify.addHook('onRequest', (request: FastifyRequest & { caller?: Caller }, reply, done) => {
    const { caller, headers, raw } = request;
    const { public: isPublic } = request.routeOptions.config as RouteSettings;
    if ((!caller && !isPublic) || !announcesBody(headers)) return done();
    const tenant = caller?.tenant ?? STRANGERS;
    const count = uploads.get(tenant) ?? 0;
    if (count >= (caller ? MAX_UPLOADS_PER_TENANT : MAX_UPLOADS_OF_STRANGERS)) return refuse(request, reply, tooMany());
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
