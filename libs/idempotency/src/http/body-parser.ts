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
  const types = [JSON_TYPE, MERGE_PATCH_TYPE];
  fastify.addContentTypeParser(types, { parseAs: 'buffer' }, ({ method, headers, routeOptions }, bytes, done) => {
    // The route reads it itself, behind its signature.
    if ((routeOptions.config as { rawBody?: object }).rawBody) return done(null, bytes);
    let body: unknown;
    try {
      const type = headers['content-type'] ?? JSON_TYPE;
      checkCharset(type);
      // Read as a whole, a patch would take away all that it does not mention.
      if (method !== 'PATCH' && !isJson(type)) throw notJson('send application/json; only a PATCH takes a patch');
      body = parseJson(bytes as Buffer);
    } catch (error) {
      return done(error as Error);
    }
    // This is outside of the try block: `done` runs the route, and errors of the route are not errors of the parser.
    done(null, body);
  });
}

const JSON_TYPE = 'application/json';
/** RFC 7396. For the route it is JSON; what it means is said by `mergePatch` of @shop/http. */
const MERGE_PATCH_TYPE = 'application/merge-patch+json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

const isJson = (type: string): boolean => type.split(';', 1)[0]!.trim().toLowerCase() === JSON_TYPE;
const notJson = (detail: string): Problem => new Problem(415, 'unsupported_media_type', detail);

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/gi;
const UTF8 = /^utf-?8$/i;

/**
 * JSON is UTF-8 (RFC 8259, section 8.1). If a client names another charset, its body means something else than what we
 * would read.
 */
function checkCharset(contentType: string): void {
  for (const [, charset = ''] of contentType.matchAll(CHARSET)) {
    if (!UTF8.test(charset)) throw notJson('send application/json in UTF-8');
  }
}
