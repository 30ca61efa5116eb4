/** An example of each body, put together from the examples of the properties, so that none is written by hand. */
import type { OpenAPIObject, OperationObject, ReferenceObject, SchemaObject } from '@nestjs/swagger';

type Schema = SchemaObject | ReferenceObject;
interface Body {
  schema?: Schema;
  example?: unknown;
  examples?: unknown;
}

/** Adds one to every body that has none. */
export function addExamples(document: OpenAPIObject, operations: readonly OperationObject[]): void {
  for (const { requestBody, responses } of operations) {
    for (const part of [requestBody, ...Object.values(responses)]) {
      const { content = {} } = (part ?? {}) as { content?: Record<string, Body> };
      for (const body of Object.values(content)) {
        if (!body.schema || body.example !== undefined || body.examples !== undefined) continue;
        body.example = exampleOf(document, body.schema);
      }
    }
  }
}

/** Undefined where nothing is known; such a property is left out. */
function exampleOf(document: OpenAPIObject, schema: Schema): unknown {
  if ('$ref' in schema) return exampleOf(document, resolve(document, schema.$ref));
  if (schema.example !== undefined) return schema.example;
  const [first] = schema.allOf ?? schema.oneOf ?? [];
  if (first) return exampleOf(document, first);
  if (schema.enum) return schema.enum[0];
  if (schema.type === 'array') return [exampleOf(document, schema.items as Schema)];
  if (!schema.properties) return undefined;
  const members = Object.entries(schema.properties).map(([name, member]) => [name, exampleOf(document, member)]);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

function resolve({ components }: OpenAPIObject, ref: string): Schema {
  const name = ref.split('/').at(-1)!;
  const schema = components?.schemas?.[name];
  if (!schema) throw new Error(`the document has no schema ${name}`);
  return schema;
}
