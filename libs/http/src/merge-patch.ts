/** Changes of a part of something: a JSON merge patch (RFC 7396), checked by what it makes. */
import { applyDecorators, type Type } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiSchema, PartialType } from '@nestjs/swagger';
import { validate, validationFailed } from '@shop/validation';

/** The type of the body of a route that takes a patch. It is not checked by itself, but by what it makes. */
export type MergePatch = Record<string, unknown>;

/** RFC 7396, section 2. Null takes a member away, an object goes into the one that is there, all else takes its place. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/**
 * What the patch makes of `current`, which has the members of `type` and no others.
 * @throws Problem 400 `validation_failed` when that is no `type`, or the patch is no object
 */
export function patched<T extends object>(type: new () => T, current: T, patch: unknown): T {
  if (!isObject(patch)) throw validationFailed([{ path: '', message: 'a merge patch of this must be a JSON object' }]);
  // As JSON: a member that is undefined is not there.
  const plain: unknown = JSON.parse(JSON.stringify(current));
  const checked = validate(type, mergePatch(plain, patch), { unknownProperties: 'refuse' });
  if (!checked.ok) throw validationFailed(checked.faults);
  return checked.value;
}

/** Tells in the OpenAPI document that a route takes a merge patch of `type`. */
export function ApiMergePatch<T extends object>(type: Type<T>): MethodDecorator {
  @ApiSchema({
    name: `${type.name.replace(/Body$/, '')}Patch`,
    description:
      'A JSON merge patch (RFC 7396): what is given is changed, null takes away, a list is given as a whole.',
  })
  class Patch extends PartialType(type as Type<object>) {}
  return applyDecorators(ApiConsumes('application/merge-patch+json', 'application/json'), ApiBody({ type: Patch }));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
