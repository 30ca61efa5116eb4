/**
 * The rules that the decorators of a class declare for its properties, as class-validator keeps them. They are looked
 * up once for each class.
 */
import { plainToInstance } from 'class-transformer';
import {
  ARRAY_MAX_SIZE,
  getMetadataStorage,
  IS_ARRAY,
  type ValidationArguments,
  ValidationTypes,
} from 'class-validator';

export interface Property {
  name: string;
  /** For an object with its own class, or a list of such objects. */
  nested?: { type: Class; list: boolean };
  /** It is declared to be a list, of objects or of anything else. */
  isList?: boolean;
  /** The most members of a list. */
  maxSize?: number;
  /** When one of them is false, no other rule is checked for the property (IsOptional, ValidateIf). */
  conditions: ((object: object, value: unknown) => boolean)[];
  rules: Rule[];
}

type Class = new () => object;
type Rule = (value: unknown, object: object) => boolean;

/** Asked before anything else, so that a list costs nothing beyond its length. */
export const isTooLong = ({ maxSize = Infinity }: Property, value: unknown): boolean =>
  Array.isArray(value) && value.length > maxSize;

const known = new WeakMap<Class, Map<string, Property>>();

export function declaredOf(type: Class): Map<string, Property> {
  let properties = known.get(type);
  if (!properties) known.set(type, (properties = read(type)));
  return properties;
}

function read(type: Class): Map<string, Property> {
  const properties = new Map<string, Property>();
  for (const metadata of getMetadataStorage().getTargetValidationMetadatas(type, '', true, false)) {
    const name = metadata.propertyName;
    const property = properties.get(name) ?? { name, conditions: [], rules: [] };
    properties.set(name, property);
    if (metadata.each || metadata.name === IS_ARRAY) property.isList = true;
    if (metadata.type === ValidationTypes.NESTED_VALIDATION) {
      property.nested = { type: nestedTypeOf(type, name), list: Boolean(metadata.each) };
    } else if (metadata.type === ValidationTypes.CONDITIONAL_VALIDATION) {
      property.conditions.push(metadata.constraints[0] as Property['conditions'][0]);
    } else if (metadata.name === ARRAY_MAX_SIZE) {
      property.maxSize = metadata.constraints[0] as number;
      property.rules.push(...rulesOf(metadata, type.name));
    } else if (metadata.type !== ValidationTypes.WHITELIST) property.rules.push(...rulesOf(metadata, type.name));
  }
  for (const { name, isList, maxSize } of properties.values()) {
    if (isList && maxSize === undefined) throw new Error(`${type.name}.${name} is a list and needs @ArrayMaxSize`);
  }
  return properties;
}

/** The class in @Type. class-transformer has no function for it, so this transforms an example. */
function nestedTypeOf(type: Class, name: string): Class {
  const example = plainToInstance(type, { [name]: {} }) as Record<string, object>;
  return (Object.getPrototypeOf(example[name]) as { constructor: Class }).constructor;
}

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

function rulesOf({ constraintCls, constraints, each, propertyName }: Metadata, targetName: string): Rule[] {
  return getMetadataStorage()
    .getTargetValidatorConstraints(constraintCls)
    .map(({ instance }) => {
      const holds = (value: unknown, object: object): boolean => {
        const asked: ValidationArguments = {
          value,
          object,
          property: propertyName,
          targetName,
          constraints: (constraints as unknown[] | undefined) ?? [],
        };
        // A promise is not `true`, so an asynchronous rule is left to class-validator.
        return instance.validate(value, asked) === true;
      };
      return (value, object) =>
        each && Array.isArray(value) ? value.every((element) => holds(element, object)) : holds(value, object);
    });
}
