/**
 * Compares the shape of unknown JSON with a class: which members are there, what is an object, and what is a list of how
 * many. It looks at each part once, and never at a part that nobody declared. So whoever looks at the values behind it
 * meets only what is small.
 */
import { declaredOf, isTooLong } from './declared';

export interface Fault {
  /** The place of the fault, as a path such as `items.0.quantity`. */
  path: string;
  message: string;
}

/** A caller can correct only so many faults at once, and the answer stays small. */
export const MAX_FAULTS = 20;
/** A member that nobody knows may have a name of any length. */
const MAX_NAME_LENGTH = 100;

export type Members = Record<string, unknown>;

/** True for objects, but not for arrays and not for null. */
export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Misshapen {
  /** At most MAX_FAULTS. */
  faults: Fault[];
  /** True if all declared parts have their shape. Then their values can be looked at. */
  isFit: boolean;
}

/** Finds also what class-validator accepts by mistake: an array for an object, and names that every object inherits. */
export function shapeFaults(type: new () => object, input: Members, refuseUnknown: boolean): Misshapen {
  const found: Misshapen = { faults: [], isFit: true };
  compare(type, input, '', refuseUnknown, found);
  return found;
}

/** Nobody looks at the rest then. */
function isFull(found: Misshapen): boolean {
  if (found.faults.length < MAX_FAULTS) return false;
  found.isFit = false;
  return true;
}

function compare(
  type: new () => object,
  input: Members,
  parent: string,
  refuseUnknown: boolean,
  found: Misshapen,
): void {
  const declared = declaredOf(type);
  for (const name of Object.keys(input)) {
    if (isFull(found)) return;
    const property = declared.get(name);
    if (!property) {
      if (refuseUnknown) addUnknown(parent, name, found);
      continue;
    }
    const value = input[name];
    const path = parent + name;
    if (isTooLong(property, value)) {
      // The members of such a list are not looked at.
      add(path, `${name} must contain no more than ${property.maxSize} elements`, found);
      continue;
    }
    // class-validator refuses a value that is no object.
    if (!property.nested || typeof value !== 'object' || value === null) continue;
    const { type: nested, list } = property.nested;
    if (list !== Array.isArray(value)) add(path, `${name} must be an ${list ? 'array' : 'object'}`, found);
    else if (list) compareList(nested, value as unknown[], path, refuseUnknown, found);
    else compare(nested, value as Members, `${path}.`, refuseUnknown, found);
  }
}

function compareList(
  type: new () => object,
  list: readonly unknown[],
  path: string,
  refuseUnknown: boolean,
  found: Misshapen,
): void {
  for (const [index, member] of list.entries()) {
    if (isFull(found)) return;
    const at = `${path}.${index}`;
    if (isObject(member)) compare(type, member, `${at}.`, refuseUnknown, found);
    else add(at, 'must be an object', found);
  }
}

function addUnknown(parent: string, name: string, { faults }: Misshapen): void {
  const shown = name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
  faults.push({ path: parent + shown, message: `property ${shown} should not exist` });
}

function add(path: string, message: string, found: Misshapen): void {
  found.faults.push({ path, message });
  found.isFit = false;
}
