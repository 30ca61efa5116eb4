/** One way to build a service's HTTP side: Fastify, problem+json, checked bodies, API keys, OpenAPI, request metrics. */
import type { Type, DynamicModule } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { histogram, type Logger, NestLog } from '@shop/observability';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type ApiKey, ApiKeyGuard } from './api-keys';
import { BodyPipe } from './body.pipe';
import { frameworkProblem, ProblemFilter } from './problem.filter';

export interface HttpAppOptions {
  title: string;
  description: string;
  logger: Logger;
  /** Without keys the service is open: only for the sandbox. */
  apiKeys?: ApiKey[];
}

const BODY_LIMIT_BYTES = 64 * 1_024;
/** An address of ours is short; a longer one is a mistake or an attack. */
const MAX_PARAM_LENGTH = 256;
const REQUEST_TIMEOUT_MS = 60_000;
const LATENCY_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30];

export async function createHttpApp(
  module: Type | DynamicModule,
  { title, description, logger, apiKeys }: HttpAppOptions,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // An address that the router cannot read never reaches the filter.
    frameworkErrors: ({ statusCode = 400 }: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
      const { body } = frameworkProblem(statusCode);
      void reply.status(statusCode).type('application/problem+json').send(JSON.stringify(body));
    },
  });
  // Fastify's own default; nobody here means text.
  adapter.getInstance().removeContentTypeParser('text/plain');
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLog(logger),
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  app.useGlobalPipes(new BodyPipe());
  if (apiKeys) app.useGlobalGuards(new ApiKeyGuard(app.get(Reflector), apiKeys));
  measureRequests(app);
  publishOpenApi(app, { title, description });
  return app;
}

function measureRequests(app: NestFastifyApplication): void {
  const seconds = histogram(
    'http_request_duration_seconds',
    'Time from request to response by route',
    ['method', 'route', 'status'],
    LATENCY_BUCKETS_SECONDS,
  );
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'unknown';
      seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1_000);
      done();
    });
}

function publishOpenApi(app: NestFastifyApplication, { title, description }: { title: string; description: string }) {
  const document = SwaggerModule.createDocument(
    app,
    new DocumentBuilder()
      .setTitle(title)
      .setDescription(description)
      .addBearerAuth()
      .addSecurityRequirements('bearer')
      .build(),
  );
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'openapi.json', customSiteTitle: title });
}
