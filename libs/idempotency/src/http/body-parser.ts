/** Has Fastify read JSON bodies with parseJson, as its own parser drops repeated keys, rounds numbers and mends bytes. */
import { Problem } from '@shop/problem';
import type { FastifyInstance } from 'fastify';
import { parseJson } from './strict-json';

/** To be called after Nest has added its own parsers, and before the server listens. */
export function readBodiesStrictly(fastify: FastifyInstance): void {
  // Nest adds a parser of forms, which no keyed route means; what it reads would be fingerprinted unchecked.
  fastify.removeContentTypeParser([JSON_TYPE, FORM_TYPE]);
  fastify.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, ({ headers }, bytes: Buffer, done) => {
    let body: unknown;
    try {
      checkCharset(headers['content-type'] ?? JSON_TYPE);
      body = parseJson(bytes);
    } catch (error) {
      return done(error as Error);
    }
    // Not within the try: `done` runs the route, whose errors are not the parser's.
    done(null, body);
  });
}

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/gi;
const UTF8 = /^utf-?8$/i;

/** JSON is UTF-8 (RFC 8259, section 8.1); who says that it is something else does not mean what we would read. */
function checkCharset(contentType: string): void {
  for (const [, charset = ''] of contentType.matchAll(CHARSET)) {
    if (!UTF8.test(charset)) throw new Problem(415, 'unsupported_media_type', 'send application/json in UTF-8');
  }
}
