/** The OpenAPI documents of the running services: what a linter says of them, and the types of a client. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RulesetDefinition, Spectral } from '@stoplight/spectral-core';
import { oas } from '@stoplight/spectral-rulesets';

const run = promisify(execFile);
const MAX_TYPES_BYTES = 10 * 1_024 * 1_024;

/** Each warning as one line; the document is sound when there is none. */
export async function lint(url: string): Promise<string[]> {
  const spectral = new Spectral();
  // The two packages give one thing different types.
  spectral.setRuleset(oas as RulesetDefinition);
  const response = await fetch(`${url}/openapi.json`);
  const found = await spectral.run(await response.text());
  return found.map(({ code, message, path }) => `${path.join('.')}: ${code}: ${message}`);
}

interface Body {
  schema?: object;
  example?: unknown;
  examples?: object;
}

interface Operation {
  operationId?: string;
  requestBody?: { content: Record<string, Body> };
  responses: Record<string, { content?: Record<string, Body> }>;
}

/** What the linter does not ask: a schema and an example of each body, and problems with their codes. */
export async function gapsOf(url: string): Promise<string[]> {
  const response = await fetch(`${url}/openapi.json`);
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, Operation>> };
  return Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ operationId, requestBody, responses }) => [
      ...(requestBody ? gapsIn(requestBody.content, `${operationId} takes`) : []),
      ...Object.entries(responses).flatMap(([status, { content }]) => {
        const answer = `${operationId} ${status}`;
        if (status === '204' || status === '304') return content ? [`${answer} has a body`] : [];
        if (status < '400') return gapsIn(content, answer);
        const problem = content?.['application/problem+json'];
        const codes = /"code":\{"type":"string","enum":\["/.test(JSON.stringify(problem ?? {}));
        return [...gapsIn(content, answer), ...(codes ? [] : [`${answer} has no codes`])];
      }),
    ]);
}

function gapsIn(content: Record<string, Body> | undefined, where: string): string[] {
  const bodies = Object.values(content ?? {});
  if (bodies.length === 0) return [`${where} has no body`];
  return bodies.flatMap(({ schema, example, examples }) => [
    ...(schema ? [] : [`${where} has no schema`]),
    ...(example !== undefined || examples ? [] : [`${where} has no example`]),
  ]);
}

/** The text of a TypeScript file. The generator is a program of its own, as its parts are modules that Jest cannot load. */
export async function typesOf(url: string): Promise<string> {
  const generator = join(require.resolve('openapi-typescript'), '../../bin/cli.js');
  const { stdout } = await run(process.execPath, [generator, `${url}/openapi.json`, '--alphabetize'], {
    maxBuffer: MAX_TYPES_BYTES,
  });
  return stdout;
}
