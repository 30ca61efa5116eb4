/** Adds to the OpenAPI document the problems of a route, by status, with their stable codes. */
import { STATUS_CODES } from 'node:http';
import { ApiExtraModels, ApiResponse, getSchemaPath, type SchemaObject } from '@nestjs/swagger';
import { Problem, ProblemBody } from './problem';

/** More members of a problem, such as `reason`. Each schema has an example. */
export type ProblemMembers = Record<string, SchemaObject>;

/** Codes with the additional members of each, or only the codes. */
type Codes = readonly string[] | Record<string, ProblemMembers>;

/** The codes by status. */
export type ProblemCodes = Record<number, Codes>;

/** One response of the document. It keeps its codes, so that more can be added later. */
export interface ProblemResponse {
  description: string;
  headers?: Record<string, { description: string; schema: object }>;
  content: Record<typeof PROBLEM_TYPE, { schema: ProblemSchema; examples: Record<string, { value: unknown }> }>;
}

interface ProblemSchema {
  allOf: [
    { $ref: string },
    {
      type: 'object';
      properties: { status: object; code: { type: 'string'; enum: string[] } } & Record<string, object>;
      required: string[];
    },
  ];
}

export const PROBLEM_TYPE = 'application/problem+json';
/** Statuses whose answers say when the same request may be repeated. */
const COME_AGAIN = [429, 503];
const retryAfter = { description: 'seconds', schema: { type: 'string', example: '1' } };
const CODES = 'shop:problem-codes';

/** Used on a method or a class. Several of them add up. */
export function ApiProblems(codes: ProblemCodes): MethodDecorator & ClassDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const holder = (descriptor?.value ?? target) as object;
    const known = (Reflect.getOwnMetadata(CODES, holder) ?? {}) as Record<string, Record<string, ProblemMembers>>;
    for (const [status, more] of Object.entries(codes)) {
      const isNew = !known[status];
      known[status] = { ...known[status], ...membersByCode(more) };
      const response = problemResponse(Number(status), known[status]);
      // Nest appends a description when a response is declared a second time.
      const options = { ...response, status: Number(status), description: isNew ? response.description : '' };
      decorate(ApiResponse(options), target, key, descriptor);
    }
    Reflect.defineMetadata(CODES, known, holder);
    decorate(ApiExtraModels(ProblemBody), target, key, descriptor);
  };
}

function decorate(
  decorator: MethodDecorator & ClassDecorator,
  target: object,
  key?: string | symbol,
  descriptor?: PropertyDescriptor,
): void {
  if (descriptor) decorator(target, key!, descriptor);
  else decorator(target as Function);
}

function membersByCode(codes: Codes): Record<string, ProblemMembers> {
  if (!Array.isArray(codes)) return codes as Record<string, ProblemMembers>;
  return Object.fromEntries((codes as readonly string[]).map((code) => [code, {}]));
}

export function problemResponse(status: number, codes: Codes): ProblemResponse {
  const ours = {
    type: 'object' as const,
    properties: { status: { type: 'integer', enum: [status] }, code: { type: 'string' as const, enum: [] } },
    required: ['status', 'code'],
  };
  const schema: ProblemSchema = { allOf: [{ $ref: getSchemaPath(ProblemBody) }, ours] };
  const description = STATUS_CODES[status] ?? 'Refused';
  const headers = COME_AGAIN.includes(status) ? { 'retry-after': retryAfter } : undefined;
  const response = { description, headers, content: { [PROBLEM_TYPE]: { schema, examples: {} } } };
  addProblems(response, status, codes);
  return response;
}

/** Adds the codes that the response does not have yet. */
export function addProblems(response: ProblemResponse, status: number, codes: Codes): void {
  const { schema, examples } = response.content[PROBLEM_TYPE];
  const { properties } = schema.allOf[1];
  for (const [code, members] of Object.entries(membersByCode(codes))) {
    if (properties.code.enum.includes(code)) continue;
    properties.code.enum.push(code);
    Object.assign(properties, members);
    const extensions = Object.fromEntries(Object.entries(members).map(([name, { example }]) => [name, example]));
    examples[code] = { value: new Problem(status, code, 'what was wrong, in words', { extensions }).body };
  }
}
