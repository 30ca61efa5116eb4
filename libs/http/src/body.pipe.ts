/** Checks every body, query and parameter object that is declared as a class; everything else passes unchanged. */
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { validate, validationFailed } from '@shop/validation';

const PLAIN_TYPES: unknown[] = [String, Number, Boolean, Array, Object, Buffer];

export class BodyPipe implements PipeTransform {
  transform(value: unknown, { metatype, type }: ArgumentMetadata): unknown {
    if (!metatype || PLAIN_TYPES.includes(metatype) || type === 'custom') return value;
    const checked = validate(metatype as new () => object, value, { unknownProperties: 'refuse' });
    if (!checked.ok) throw validationFailed(checked.faults);
    return checked.value;
  }
}
