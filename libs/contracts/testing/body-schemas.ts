/** The bodies of messages as JSON Schema, read from their class-validator decorators. */
// @ts-expect-error the library's types do not name this file.
import { defaultMetadataStorage } from 'class-transformer/cjs/storage';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';

export type Schema = Record<string, unknown>;

const PREFIX = '#/components/schemas/';

/** By the names of the classes: these, and those within them. */
export function bodySchemas(bodies: readonly Function[]): Record<string, Schema> {
  const all = validationMetadatasToSchemas({
    classTransformerMetadataStorage: defaultMetadataStorage as never,
    refPointerPrefix: PREFIX,
  }) as Record<string, Schema>;
  const wanted = new Map<string, Schema>();
  const add = (name: string): void => {
    const schema = all[name];
    if (!schema) throw new Error(`${name} has no property that is checked`);
    if (wanted.has(name)) return;
    wanted.set(name, schema);
    for (const [, inner] of JSON.stringify(schema).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) add(inner!);
  };
  for (const { name } of bodies) add(name);
  return Object.fromEntries([...wanted].sort(([a], [b]) => a.localeCompare(b)));
}

export const refTo = (name: string): Schema => ({ $ref: `${PREFIX}${name}` });
