/**
 * Makes Fastify read JSON bodies with parseJson. Fastify's own parser drops repeated keys, rounds numbers and repairs
 * bytes.
 */
import { Problem } from '@shop/problem';
import type { FastifyInstance } from 'fastify';
import { parseJson } from './strict-json';

/** Call this after Nest has added its own parsers, and before the server listens. */
export function readBodiesStrictly(fastify: FastifyInstance): void {
  // Nest adds a parser for forms. No keyed route expects a form, and the fingerprint would be made of an unchecked
  // body.
  fastify.removeContentTypeParser([JSON_TYPE, FORM_TYPE]);
  fastify.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, ({ headers, routeOptions }, bytes: Buffer, done) => {
    // The route reads it itself, behind its signature.
    if ((routeOptions.config as { rawBody?: object }).rawBody) return done(null, bytes);
    let body: unknown;
    try {
      checkCharset(headers['content-type'] ?? JSON_TYPE);
      body = parseJson(bytes);
    } catch (error) {
      return done(error as Error);
    }
    // This is outside of the try block: `done` runs the route, and errors of the route are not errors of the parser.
    done(null, body);
  });
}

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/gi;
const UTF8 = /^utf-?8$/i;

/**
 * JSON is UTF-8 (RFC 8259, section 8.1). If a client names another charset, its body means something else than what we
 * would read.
 */
function checkCharset(contentType: string): void {
  for (const [, charset = ''] of contentType.matchAll(CHARSET)) {
    if (!UTF8.test(charset)) throw new Problem(415, 'unsupported_media_type', 'send application/json in UTF-8');
  }
}
