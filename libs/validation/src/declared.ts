/** What the decorators of a class have declared of its properties, as class-validator keeps it, looked up once per class. */
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, type ValidationArguments, ValidationTypes } from 'class-validator';

export interface Property {
  name: string;
  /** Of an object with a class of its own, or of a list of such. */
  nested?: { type: Class; list: boolean };
  /** When one of them is false, nothing else is asked of the property (IsOptional, ValidateIf). */
  conditions: ((object: object, value: unknown) => boolean)[];
  rules: Rule[];
}

type Class = new () => object;
type Rule = (value: unknown, object: object) => boolean;

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
    if (metadata.type === ValidationTypes.NESTED_VALIDATION) {
      property.nested = { type: nestedTypeOf(type, name), list: Boolean(metadata.each) };
    } else if (metadata.type === ValidationTypes.CONDITIONAL_VALIDATION) {
      property.conditions.push(metadata.constraints[0] as Property['conditions'][0]);
    } else if (metadata.type !== ValidationTypes.WHITELIST) property.rules.push(...rulesOf(metadata, type.name));
  }
  return properties;
}

/** What @Type says, asked by an example, as class-transformer does not tell it. */
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
        // A promise is not true: an asynchronous rule leaves it to class-validator.
        return instance.validate(value, asked) === true;
      };
      return (value, object) =>
        each && Array.isArray(value) ? value.every((element) => holds(element, object)) : holds(value, object);
    });
}
