/**
 * The idempotency of a service's routes as a table in the docs. The tests of the service compare it with its OpenAPI
 * document.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectKeptFile } from '@shop/testing';
import { OPENAPI_EXTENSION } from '../src';

interface OpenApi {
  paths: Record<string, Record<string, Record<string, unknown>>>;
}

interface Policy {
  strategy: string;
  stored?: string;
  retentionHours?: number;
  replayStatus?: string | number;
  inUseStatus?: number;
  mismatchStatus?: number;
  redacted?: string[];
}

const DOCS = join(__dirname, '../../../docs/idempotency.md');
const HEAD = ['route', 'strategy', 'stored', 'kept for', 'replay', 'in use', 'mismatch'];

/** Compares the section of this service (`order`, for example) in docs/idempotency.md. */
export function expectPolicyTable(service: string, openApi: string): void {
  const section = new RegExp(`(<!-- policy:${service} -->\n)[^]*?(<!-- end -->)`);
  const table = aligned([HEAD, ...rowsOf(JSON.parse(openApi) as OpenApi)]);
  const wanted = readFileSync(DOCS, 'utf8').replace(
    section,
    (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`,
  );
  expectKeptFile(DOCS, wanted, { project: `@shop/${service}`, pattern: '"http|idempotency"' });
}

function rowsOf({ paths }: OpenApi): string[][] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const policy = operation[OPENAPI_EXTENSION] as Policy | undefined;
      return policy ? [[`\`${method.toUpperCase()} ${path}\``, policy.strategy, ...cellsOf(policy)]] : [];
    }),
  );
}

function cellsOf({
  stored,
  retentionHours,
  replayStatus,
  inUseStatus,
  mismatchStatus,
  redacted = [],
}: Policy): string[] {
  if (!stored) return ['', '', '', '', ''];
  return [
    redacted.length > 0 ? `${stored}; without ${redacted.join(', ')}` : stored,
    `${retentionHours} h`,
    replayStatus === 'same' ? 'the same status' : `${replayStatus}`,
    `${inUseStatus}`,
    `${mismatchStatus}`,
  ];
}

/** A Markdown table in the layout of the formatter. */
function aligned(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const [head, ...body] = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [head, rule, ...body].join('\n');
}
