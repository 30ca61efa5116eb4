/** A text that people write and that PostgreSQL can store. */
import { applyDecorators } from '@nestjs/common';
import { IsString, Matches, MaxLength, MinLength } from 'class-validator';

/** No NUL, which PostgreSQL refuses, and no half of a surrogate pair, which is not a character. */
const STORABLE = /^[^\0\p{Cs}]*$/u;

/** 1 to `maxLength` characters. */
export const IsText = (maxLength: number): PropertyDecorator =>
  applyDecorators(
    IsString(),
    MinLength(1),
    MaxLength(maxLength),
    Matches(STORABLE, { message: '$property must not contain NUL or half a surrogate pair' }),
  );
