/** The pages of the API, `/docs` and `/openapi.json`: made once, and then the same bytes for everybody. */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { publicRoute } from './api-keys';
import { DOCS_POLICY } from './safe-headers';

const DOCUMENT = '/openapi.json';
/** The page, and what it loads. */
const PAGES = [
  DOCUMENT,
  '/docs',
  '/docs/',
  '/docs/index.html',
  '/docs/swagger-ui-init.js',
  '/docs/swagger-ui.css',
  '/docs/swagger-ui-bundle.js',
  '/docs/swagger-ui-standalone-preset.js',
  '/docs/favicon-16x16.png',
  '/docs/favicon-32x32.png',
] as const;

interface DocumentPage {
  type: string;
  body: Buffer;
}

@Module({})
class NoModule {}

/** To be called before the app is opened. */
export function showDocument(fastify: FastifyInstance, document: OpenAPIObject): void {
  let pages: Promise<Map<string, DocumentPage>> | undefined;
  for (const path of PAGES) {
    fastify.get(path, { config: publicRoute }, async (_request, reply) => {
      // Made when somebody asks first: most processes are never asked.
      pages ??= pagesOf(document);
      const { type, body } = (await pages).get(path)!;
      return reply
        .type(type)
        .headers({ 'content-security-policy': DOCS_POLICY, 'cache-control': 'no-cache' })
        .send(body);
    });
  }
}

/** Lets the module that makes the pages show them to us alone, in an app that never listens. */
async function pagesOf(document: OpenAPIObject): Promise<Map<string, DocumentPage>> {
  const app = await NestFactory.create<NestFastifyApplication>(NoModule, new FastifyAdapter(), { logger: false });
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: DOCUMENT, customSiteTitle: document.info.title });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  const pages = await Promise.all(
    PAGES.map(async (path) => {
      const { headers, rawPayload } = await app.inject({ url: path });
      return [path, { type: String(headers['content-type']), body: rawPayload }] as const;
    }),
  );
  await app.close();
  return new Map(pages);
}
