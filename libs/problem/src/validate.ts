/** Turns unknown JSON into an instance of a class-validator class, or says everything that is wrong with it. */
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { Problem } from './problem';
import { quickCheck } from './quick-check';

export interface Fault {
  /** Where, as a path such as `items.0.quantity`. */
  path: string;
  message: string;
}

export type Validated<T> = { ok: true; value: T } | { ok: false; faults: Fault[] };

export interface ValidateOptions {
  /** `refuse` for requests, where it may be a misspelling; `drop` for messages, where it may be a newer version. */
  unknownProperties: 'refuse' | 'drop';
}

/** A caller can mend only so many faults at once, and the answer stays small. */
const MAX_FAULTS = 20;

/** Far deeper than any class of ours; what comes below it walks down by recursion, and would come to the end of the stack. */
const MAX_DEPTH = 32;

export function validate<T extends object>(
  type: new () => T,
  input: unknown,
  { unknownProperties }: ValidateOptions,
): Validated<T> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { ok: false, faults: [{ path: '', message: 'must be a JSON object' }] };
  }
  const right = quickCheck(type, input);
  if (right) return { ok: true, value: right };
  if (isDeeperThan(MAX_DEPTH, input)) {
    return { ok: false, faults: [{ path: '', message: `must not be nested deeper than ${MAX_DEPTH} levels` }] };
  }
  const value = plainToInstance(type, input, { enableImplicitConversion: false });
  const errors = validateSync(value, {
    whitelist: true,
    forbidNonWhitelisted: unknownProperties === 'refuse',
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
  });
  if (errors.length === 0) return { ok: true, value };
  return { ok: false, faults: errors.flatMap((error) => faultsOf(error, '')).slice(0, MAX_FAULTS) };
}

export function validationFailed(faults: Fault[]): Problem {
  const detail = faults.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
  return new Problem(400, 'validation_failed', detail, { extensions: { errors: faults } });
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member));
}

function faultsOf(error: ValidationError, parent: string): Fault[] {
  const path = parent ? `${parent}.${error.property}` : error.property;
  const own = Object.values(error.constraints ?? {}).map((message) => ({ path, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => faultsOf(child, path))];
}
