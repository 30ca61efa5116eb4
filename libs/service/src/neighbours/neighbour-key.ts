/** The key that this service shows to its neighbours, from a variable or a file. */
import { applyDecorators } from '@nestjs/common';
import { weaknessesOfKey } from '@shop/http';
import { IsOptional, Matches } from 'class-validator';
import { operatorsError, secretIn } from '../secret-file';

const CODE = 'NEIGHBOUR_KEY';

/** Printable, and without what ends a key in `API_KEYS` of the neighbours. */
const NEIGHBOUR_KEY_FORM = /^[!-+\--<>-~]{1,200}$/;

export const IsNeighbourKey = () =>
  applyDecorators(
    IsOptional(),
    Matches(NEIGHBOUR_KEY_FORM, {
      message: 'must be a key: at most 200 letters, digits and signs, but no space, comma or =',
    }),
  );

export interface NeighbourKeySettings {
  NEIGHBOUR_KEY?: string;
  /** A file whose content is the key. It is the stronger one. */
  NEIGHBOUR_KEY_FILE?: string;
}

/** Undefined when there is none: then nobody is asked. @throws Error in one sentence when the file cannot be read */
export function neighbourKeyIn({ NEIGHBOUR_KEY, NEIGHBOUR_KEY_FILE }: NeighbourKeySettings): string | undefined {
  if (NEIGHBOUR_KEY_FILE === undefined) return NEIGHBOUR_KEY;
  const key = secretIn(NEIGHBOUR_KEY_FILE, { variable: 'NEIGHBOUR_KEY_FILE', code: CODE });
  if (!NEIGHBOUR_KEY_FORM.test(key)) throw operatorsError(CODE, `the file ${NEIGHBOUR_KEY_FILE} has no key in it`);
  return key;
}

/** Why a service must not start in production with it, one reason each: it opens what every tenant has. */
export function unfitNeighbourKey(settings: NeighbourKeySettings): string[] {
  const key = neighbourKeyIn(settings);
  return key === undefined ? [] : weaknessesOfKey(key).map((weakness) => `NEIGHBOUR_KEY ${weakness}`);
}
