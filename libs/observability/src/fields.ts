/** The fields of a log line: nobody but the logger says when, how bad and whose it is, and no field is endless. */

type Fields = Record<string, unknown>;

/** What the logger itself writes into each line. A second one would win where the line is read. */
const OWN = ['level', 'time', 'service', 'event'];
/** Longer than any stack of ours. */
const MAX_TEXT = 10_000;

/** The fields as they are written. One with a name of the logger's own gets a `_` behind it. */
export function lineOf(fields: Fields): Fields {
  const faulty = Object.entries(fields).some(([name, value]) => OWN.includes(name) || isTooLong(value, MAX_TEXT));
  if (!faulty) return fields;
  const named = Object.entries(fields).map(([name, value]) => [
    OWN.includes(name) ? `${name}_` : name,
    typeof value === 'string' ? cut(value, MAX_TEXT) : value,
  ]);
  return Object.fromEntries(named) as Fields;
}

/** An error as it is written. Nothing else of it is, because PostgreSQL puts the values of the failing row into it. */
export function describeError(error: unknown, causes = MAX_CAUSES): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  const because = cause === undefined || causes === 0 ? undefined : describeError(cause, causes - 1);
  return { name, message: cut(message, MAX_TEXT), code, stack: stack && cut(stack, MAX_TEXT), cause: because };
}

/** An error may be its own cause. */
const MAX_CAUSES = 5;

/** As many as a result of a step has, and some more. */
const MAX_FOREIGN_FIELDS = 10;
const FOREIGN_NAME = /^[a-z]\w{0,39}$/i;
/** As long as the reason of an operator may be. */
const MAX_FOREIGN_TEXT = 500;
/** Fields that only errors have. */
const OF_ERRORS = ['err', 'stack'];

/**
 * Fields that another service has named and filled: only some, with short names and short values. `leftOut` tells how
 * many there were besides. Write your own fields behind these, so that they count.
 */
export function foreignFields(fields: Fields): Fields {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const taken = given
    .filter(([name]) => FOREIGN_NAME.test(name) && ![...OWN, ...OF_ERRORS].includes(name))
    .slice(0, MAX_FOREIGN_FIELDS);
  const leftOut = given.length - taken.length;
  const written = Object.fromEntries(taken.map(([name, value]) => [name, shortened(value)]));
  return leftOut === 0 ? written : { ...written, leftOut };
}

/** A structure that is too large becomes the beginning of its JSON. */
function shortened(value: unknown): unknown {
  if (typeof value === 'string') return cut(value, MAX_FOREIGN_TEXT);
  if (typeof value !== 'object' || value === null) return value;
  const json = JSON.stringify(value);
  return json.length > MAX_FOREIGN_TEXT ? cut(json, MAX_FOREIGN_TEXT) : value;
}

const isTooLong = (value: unknown, length: number): boolean => typeof value === 'string' && value.length > length;

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)} …` : text);
