/** The OpenAPI document of a service: what Nest reads from the decorators, and what holds for every route. */
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, type OperationObject, SwaggerModule } from '@nestjs/swagger';
import { addProblems, ProblemBody, type ProblemCodes, problemResponse, type ProblemResponse } from '@shop/problem';
import { addExamples } from './openapi-examples';
import { addConstraints } from './openapi-constraints';

export interface OpenApiOptions {
  title: string;
  description: string;
  /** Whether callers need an API key. */
  authenticated: boolean;
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

const errors = {
  type: 'array',
  items: {
    type: 'object',
    properties: { path: { type: 'string' }, message: { type: 'string' } },
    required: ['path', 'message'],
  },
  description: 'all faults, with the paths to them',
  example: [{ path: 'items.0.quantity', message: 'quantity must not be less than 1' }],
};

/** What can be wrong with any request of the kind, and with us. The addresses that nobody serves are no routes. */
const problemsOf = {
  everybody: { 400: ['malformed_request'], 500: ['internal_error'], 503: ['unavailable', 'overloaded'] },
  checked: { 400: { validation_failed: { errors } } },
  authenticated: {
    401: ['unauthenticated'],
    403: ['token_incomplete'],
    429: ['rate_limited', 'too_many_waiting'],
  },
  // Only a service key can be refused so.
  readWithKey: { 400: ['shop_tenant_invalid'] },
  open: { 429: ['rate_limited'] },
  withRawBody: { 413: ['body_too_large'], 415: ['unsupported_media_type'] },
  withBody: {
    400: [
      'body_too_deep',
      'body_too_many_values',
      'json_key_repeated',
      'json_key_forbidden',
      'json_number_not_exact',
      'json_text_not_unicode',
    ],
    413: ['body_too_large'],
    415: ['unsupported_media_type'],
  },
  uploaded: { 429: ['too_many_uploads'] },
} satisfies Record<string, ProblemCodes>;

const KEYS =
  'An API key or a token (JWT). A service key reads only, and names the tenant that it reads for in the header Shop-Tenant.';

export function openApiOf(app: INestApplication, { title, description, authenticated }: OpenApiOptions): OpenAPIObject {
  const builder = new DocumentBuilder().setTitle(title).setDescription(description).addServer('/');
  if (authenticated) builder.addBearerAuth({ type: 'http', description: KEYS }).addSecurityRequirements('bearer');
  const document = SwaggerModule.createDocument(app, builder.build(), { extraModels: [ProblemBody] });
  document.info.contact = { name: 'The people of the shop' };
  const operations = operationsOf(document);
  document.tags = [...new Set(operations.flatMap(({ tags = [] }) => tags))].sort().map((name) => ({ name }));
  for (const operation of operations) addCommonProblems(operation, authenticated);
  if (authenticated) addReadProblems(document);
  addConstraints(document);
  addExamples(document, operations);
  return document;
}

function operationsOf({ paths }: OpenAPIObject): OperationObject[] {
  return Object.values(paths).flatMap((path) => METHODS.flatMap((method) => path[method] ?? []));
}

function addReadProblems({ paths }: OpenAPIObject): void {
  const reads = Object.values(paths).flatMap(({ get }) => get ?? []);
  for (const read of reads) if (read.security?.length !== 0) add(read, problemsOf.readWithKey);
}

function addCommonProblems(operation: OperationObject, authenticated: boolean): void {
  const { requestBody, parameters = [] } = operation;
  add(operation, problemsOf.everybody);
  // A route that is open to everybody says so by an empty list.
  const isOpen = operation.security?.length === 0;
  if (authenticated && !isOpen) add(operation, problemsOf.authenticated);
  if (authenticated && isOpen) add(operation, problemsOf.open);
  if (requestBody) add(operation, isOpen ? problemsOf.withRawBody : problemsOf.withBody);
  if (requestBody && authenticated) add(operation, problemsOf.uploaded);
  const hasQuery = parameters.some((parameter) => 'in' in parameter && parameter.in === 'query');
  if ((requestBody && !isOpen) || hasQuery) add(operation, problemsOf.checked);
}

function add({ responses }: OperationObject, problems: ProblemCodes): void {
  for (const [status, codes] of Object.entries(problems)) {
    const known = responses[status] as ProblemResponse | undefined;
    if (known) addProblems(known, Number(status), codes);
    else responses[status] = problemResponse(Number(status), codes);
  }
}
