/**
 * The short way through class-validator, for input that is right.
 *
 * Most input is right, and then only two things are wanted: that it is, and an instance. For each class the validators
 * that its decorators registered are looked up once and then called directly. Whatever is not surely right (a failed
 * validator, an unknown property, a missing nested object) answers `undefined` and goes the long way, through the
 * library itself, which also knows the messages. A class that uses what is not covered here always goes the long way.
 */
// @ts-expect-error the library's types do not name this file; `TransformStorage` below says what we use of it.
import { defaultMetadataStorage } from 'class-transformer/cjs/storage';
import { getMetadataStorage, type ValidationArguments, ValidationTypes } from 'class-validator';

/** What `@Type` and `@Transform` have registered. */
interface TransformStorage {
  findTypeMetadata(type: Function, property: string): { typeFunction: () => Function } | undefined;
  findTransformMetadatas(type: Function, property: string): unknown[];
}
const transforms = defaultMetadataStorage as TransformStorage;

type Class<T extends object> = new () => T;
type Record_ = Record<string, unknown>;

interface Rule {
  /** Runs on each element of an array. */
  each: boolean;
  holds: (value: unknown, object: object) => boolean;
}

interface Property {
  name: string;
  /** When one of them is false, nothing else is asked of the property (IsOptional, ValidateIf). */
  conditions: ((object: object, value: unknown) => boolean)[];
  rules: Rule[];
  /** Of a nested object, or of an array of them. */
  nested?: Class<object>;
}

interface Plan {
  properties: Map<string, Property>;
}

const plans = new WeakMap<Class<object>, Plan | 'long-way'>();

/** An instance of the class when the input is surely right, else `undefined`. */
export function quickCheck<T extends object>(type: Class<T>, input: object): T | undefined {
  const plan = planOf(type);
  if (plan === 'long-way') return undefined;
  const instance = new type() as T & Record_;
  for (const [key, value] of Object.entries(input)) {
    const property = plan.properties.get(key);
    if (!property) return undefined;
    (instance as Record_)[key] = property.nested ? nestedOf(property.nested, value) : value;
    if (property.nested && (instance as Record_)[key] === undefined) return undefined;
  }
  for (const property of plan.properties.values()) if (!isRight(property, instance)) return undefined;
  return instance;
}

function isRight({ name, conditions, rules, nested }: Property, object: Record_): boolean {
  const value = object[name];
  if (!conditions.every((condition) => condition(object, value))) return true;
  if (nested && value === undefined) return false;
  return rules.every(({ each, holds }) =>
    each && Array.isArray(value) ? value.every((element) => holds(element, object)) : holds(value, object),
  );
}

function nestedOf(type: Class<object>, value: unknown): unknown {
  if (!Array.isArray(value)) return isPlain(value) ? quickCheck(type, value) : undefined;
  const instances = value.map((element) => (isPlain(element) ? quickCheck(type, element) : undefined));
  return instances.includes(undefined) ? undefined : instances;
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function planOf(type: Class<object>): Plan | 'long-way' {
  let plan = plans.get(type);
  if (!plan) {
    plan = makePlan(type) ?? 'long-way';
    plans.set(type, plan);
  }
  return plan;
}

function makePlan(type: Class<object>): Plan | undefined {
  const storage = getMetadataStorage();
  const properties = new Map<string, Property>();
  for (const metadata of storage.getTargetValidationMetadatas(type, '', true, false)) {
    const { propertyName: name } = metadata;
    if (transforms.findTransformMetadatas(type, name).length > 0) return undefined;
    const property = properties.get(name) ?? { name, conditions: [], rules: [] };
    properties.set(name, property);
    switch (metadata.type) {
      case ValidationTypes.CONDITIONAL_VALIDATION:
        property.conditions.push(metadata.constraints[0] as Property['conditions'][0]);
        break;
      case ValidationTypes.NESTED_VALIDATION: {
        const nested = transforms.findTypeMetadata(type, name)?.typeFunction() as Class<object> | undefined;
        if (!nested) return undefined;
        property.nested = nested;
        break;
      }
      case ValidationTypes.CUSTOM_VALIDATION:
      case ValidationTypes.IS_DEFINED: {
        const constraints = storage.getTargetValidatorConstraints(metadata.constraintCls);
        if (constraints.some(({ async }) => async)) return undefined;
        for (const { instance } of constraints) {
          const holds = (value: unknown, object: object): boolean => {
            const asked: ValidationArguments = {
              value,
              object,
              property: name,
              targetName: type.name,
              constraints: (metadata.constraints as unknown[] | undefined) ?? [],
            };
            return instance.validate(value, asked) === true;
          };
          property.rules.push({ each: metadata.each, holds });
        }
        break;
      }
      case ValidationTypes.WHITELIST:
        break;
      default:
        return undefined;
    }
  }
  return properties.size > 0 ? { properties } : undefined;
}
