/** The variables with the keys that personal data is sealed with, for the services that seal or open some. */
import { applyDecorators } from '@nestjs/common';
import { DEVELOPMENT_DATA_KEYS, parseDataKeys, Sealer, weaknessesOfDataKeys } from '@shop/sealing';
import { IsOptional, ValidateBy } from 'class-validator';
import { operatorsError, secretIn } from './secret-file';

const CODE = 'DATA_KEYS';

/** The variables of a service with data keys. */
export interface DataKeySettings {
  /** `id:base64`, with commas: the first key seals, all of them open. Without any, it is the key of development. */
  DATA_KEYS?: string;
  /** A file whose content is the list. It is the stronger one. */
  DATA_KEYS_FILE?: string;
}

/** Uses the error message of the parser, which never repeats a key. */
export const IsDataKeys = () =>
  applyDecorators(
    IsOptional(),
    ValidateBy({
      name: 'isDataKeys',
      validator: {
        validate: (value) => faultOf(value as string) === undefined,
        defaultMessage: (asked) => faultOf(asked?.value as string) ?? '',
      },
    }),
  );

/** @throws Error in one sentence when the file cannot be read or is no list of keys */
export function sealerOf(settings: DataKeySettings): Sealer {
  return new Sealer(listIn(settings));
}

/** Why a service must not start in production with these keys, one reason each. */
export function unfitDataKeys(settings: DataKeySettings): string[] {
  const { DATA_KEYS, DATA_KEYS_FILE } = settings;
  if (DATA_KEYS === undefined && DATA_KEYS_FILE === undefined) {
    return ['DATA_KEYS is missing, and without it the key of development is used'];
  }
  return weaknessesOfDataKeys(listIn(settings));
}

function listIn({ DATA_KEYS, DATA_KEYS_FILE }: DataKeySettings): string {
  if (DATA_KEYS_FILE === undefined) return DATA_KEYS ?? DEVELOPMENT_DATA_KEYS;
  const list = secretIn(DATA_KEYS_FILE, { variable: 'DATA_KEYS_FILE', code: CODE });
  const fault = faultOf(list);
  if (fault !== undefined) throw operatorsError(CODE, `the file ${DATA_KEYS_FILE} is no list of data keys: ${fault}`);
  return list;
}

function faultOf(list: string): string | undefined {
  try {
    parseDataKeys(list);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
