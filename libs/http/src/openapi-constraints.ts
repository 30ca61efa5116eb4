/** Adds to the schemas of bodies what their class-validator decorators ask for, so that no limit is written twice. */
import type { OpenAPIObject, SchemaObject } from '@nestjs/swagger';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';

/** What the checks say better than the types. */
const CONSTRAINTS = [
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
] as const;

const additionalConverters = {
  /** JSON Schema knows no flags, and such an expression means something else without them. */
  matches: ({ constraints }: { constraints?: unknown[] }) => {
    const { source, flags } = constraints?.[0] as RegExp;
    return flags === '' ? { pattern: source } : {};
  },
};

export function addConstraints({ components }: OpenAPIObject): void {
  const checked = validationMetadatasToSchemas({ additionalConverters }) as Record<string, SchemaObject>;
  for (const [name, schema] of Object.entries(components?.schemas ?? {})) {
    const { properties = {} } = checked[name] ?? {};
    for (const [property, found] of Object.entries(properties) as [string, SchemaObject][]) {
      const ours = (schema as SchemaObject).properties?.[property] as Record<string, unknown> | undefined;
      if (!ours) continue;
      for (const constraint of CONSTRAINTS) {
        if (found[constraint] !== undefined) ours[constraint] ??= found[constraint];
      }
      if (found.type === 'integer') ours['type'] = 'integer';
    }
  }
}
