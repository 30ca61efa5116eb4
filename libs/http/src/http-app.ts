/** One way to build a service's HTTP side: Fastify, problem+json, checked bodies, API keys, OpenAPI, request metrics. */
import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Type, DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Logger, NestLog } from '@shop/observability';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ApiKey, RolesGuard } from './api-keys';
import { BodyPipe } from './body.pipe';
import { allowOrigins } from './cors';
import { showDocument } from './docs';
import { answerUnknownAddresses } from './known-methods';
import { createLobby } from './lobby';
import { pathOf, refuseOddRequests, refuseUnreadable } from './odd-requests';
import { openApiOf } from './openapi';
import { announcesBody, frameworkProblem, ProblemFilter, sendProblem } from './problem.filter';
import { limitRates, NO_LIMITS, type RateLimits } from './rate-limits';
import { measureRequests } from './request-metrics';
import { goOnWithTrace, traceRequests } from './request-spans';
import { takeTurns } from './request-turns';
import { checkRoles } from './route-roles';
import { addToAll, safeHeaders } from './safe-headers';
import { Stalls } from './stalls';
import { boundUploads, limitRawBodies } from './uploads';
import { askWhoCalls, type CallerSource } from './who-calls';

export interface HttpAppOptions {
  title: string;
  description: string;
  logger: Logger;
  /** Without keys the service is open: only for the sandbox. */
  apiKeys?: ApiKey[];
  /** Who knows callers beside these keys. */
  callers?: readonly CallerSource[];
  /** Whether it shows the document of its API, and a page with it. */
  docs?: boolean;
  door?: DoorOptions;
}

/** Whom it lets in beside those who have a key, and how often. */
export interface DoorOptions {
  /** The pages of these origins may ask it from a browser. */
  origins?: readonly string[];
  limits?: RateLimits;
  /** For so long browsers ask it by HTTPS only; 0 where nothing before it speaks HTTPS. */
  hstsSeconds?: number;
  /** Addresses and networks of proxies that tell, in X-Forwarded-For, who has asked. */
  trustedProxies?: readonly string[];
}

const BODY_LIMIT_BYTES = 64 * 1_024;
/** Our addresses are short; a longer one is a mistake or an attack. */
const MAX_PARAM_LENGTH = 256;
const HANG_UP_INTERVAL_MS = 50;
/** How long a stop waits for the last requests. */
const LAST_REQUESTS_MS = 6_000;
const UNREADABLE_ADDRESS = 'the address cannot be read; is its percent-encoding right?';

export async function createHttpApp(
  module: Type | DynamicModule,
  { title, description, logger, apiKeys, callers, docs = true, door = {} }: HttpAppOptions,
): Promise<NestFastifyApplication> {
  const answers = new WeakMap<Socket, ServerResponse>();
  const stalls = new Stalls();
  const safe = safeHeaders(door.hstsSeconds ?? 0);
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: 'idle',
    trustProxy: door.trustedProxies?.length ? [...door.trustedProxies] : false,
    // A request that was on its way when the stop began is answered like any other.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // An address that the router cannot read never reaches the filter.
    frameworkErrors: ({ statusCode = 400 }: FastifyError, _request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(
        reply.headers(safe),
        frameworkProblem(statusCode, statusCode === 400 ? UNREADABLE_ADDRESS : undefined),
      ),
    clientErrorHandler: (error, socket) => {
      // Its request may be here, and unread. A client that really is slow is cut when it is silent for longer.
      if ((error as NodeJS.ErrnoException).code === 'ERR_HTTP_REQUEST_TIMEOUT' && stalls.isJustBack) return;
      refuseUnreadable(answers, error, socket);
    },
    // Node answers without a body. `refuseOddRequests` asks for the header instead.
    serverFactory: (serve: RequestListener) => createLobby(serve, { requireHostHeader: false }),
    rewriteUrl: ({ url = '/' }) => pathOf(url),
  });
  const fastify = adapter.getInstance();
  // Fastify accepts it by default, but no route here takes text.
  fastify.removeContentTypeParser('text/plain');
  addToAll(fastify, safe);
  traceRequests(fastify);
  measureRequests(fastify);
  await allowOrigins(fastify, door.origins ?? []);
  refuseOddRequests(fastify, answers);
  answerUnknownAddresses(fastify);
  if (apiKeys) {
    askWhoCalls(fastify, apiKeys, callers);
    await limitRates(fastify, door.limits ?? NO_LIMITS);
  }
  boundUploads(fastify);
  limitRawBodies(fastify);
  takeTurns(fastify);
  goOnWithTrace(fastify);
  ignoreTypeOfNothing(fastify);
  hangUpWhileStopping(fastify);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLog(logger),
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  app.useGlobalPipes(new BodyPipe());
  if (apiKeys) checkRoles(app);
  if (apiKeys) app.useGlobalGuards(new RolesGuard());
  if (docs) showDocument(fastify, openApiOf(app, { title, description, authenticated: apiKeys !== undefined }));
  return app;
}

/** Many clients name a content type on every request. Without a body, as in a DELETE, that is no mistake. */
function ignoreTypeOfNothing(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ method, headers }, _reply, done) => {
    if (method === 'DELETE' && !announcesBody(headers)) delete headers['content-type'];
    done();
  });
}

/**
 * Clients keep their connections for a next request. Fastify closes the idle ones when a stop begins. Connections that
 * become idle later, after the last answers, would delay the stop for more than a minute. A request that never ends
 * would delay it too.
 */
function hangUpWhileStopping(fastify: FastifyInstance): void {
  fastify.addHook('preClose', (done) => {
    const { server } = fastify;
    if (!server.listening) return done();
    const idle = setInterval(() => server.closeIdleConnections(), HANG_UP_INTERVAL_MS).unref();
    const late = setTimeout(() => server.closeAllConnections(), LAST_REQUESTS_MS).unref();
    server.once('close', () => {
      clearInterval(idle);
      clearTimeout(late);
    });
    done();
  });
}
