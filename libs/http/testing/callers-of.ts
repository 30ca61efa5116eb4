/** The callers that the tests of a service know: a key for each, and the list of keys that the service is given. */

/** `who` says `tenant/principal:role` for each name, as in `API_KEYS`. */
export function callersOf<Name extends string>(
  who: Record<Name, string>,
): { callers: Record<Name, string>; API_KEYS: string } {
  const names = Object.keys(who) as Name[];
  const keyOf = (name: Name) => `key-${name}`;
  return {
    callers: Object.fromEntries(names.map((name) => [name, keyOf(name)])) as Record<Name, string>,
    API_KEYS: names.map((name) => `${keyOf(name)}=${who[name]}`).join(),
  };
}
