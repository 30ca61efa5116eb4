import fc from 'fast-check';
import { canonicalJson } from './canonical-json';

/** What JSON.parse makes of the text that JSON.stringify makes of it: -0 becomes 0, and nothing else changes. */
const document = () => fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);

/** The same document with the members of every object in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('R14 canonicalJson', () => {
  it('R14 does not care about the order of keys', () => {
    fc.assert(fc.property(document(), (value) => expect(canonicalJson(reversed(value))).toBe(canonicalJson(value))));
    expect(canonicalJson({ b: 1, a: { d: [], c: null } })).toBe('{"a":{"c":null,"d":[]},"b":1}');
  });

  it('R14 does not care about white space', () => {
    fc.assert(
      fc.property(document(), fc.constantFrom(' ', '\t', '\n  '), (value, space) => {
        const spaced = JSON.parse(` ${JSON.stringify(value, null, space)}\n`) as unknown;
        expect(canonicalJson(spaced)).toBe(canonicalJson(value));
      }),
    );
  });

  it('R14 is a text for the same document, so different documents have different texts', () => {
    fc.assert(fc.property(document(), (value) => expect(JSON.parse(canonicalJson(value))).toEqual(value)));
  });

  it.each([
    [{ a: 1 }, { a: '1' }],
    [{ a: null }, {}],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: { b: 1 } }, { 'a.b': 1 }],
    ['{}', {}],
    [[[]], []],
    [JSON.parse('{"__proto__":1}'), {}],
    ['\ud800', '\udfff'],
    [0.1, 0.10000000000000002],
  ])('R14 tells %j from %j', (one, other) => {
    expect(canonicalJson(one)).not.toBe(canonicalJson(other));
  });

  it('takes an absent value like JSON.stringify does', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
    expect(canonicalJson([undefined])).toBe('[null]');
  });

  it('R29 refuses a body that is nested without end, and takes one as deep as anybody needs', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(canonicalJson(JSON.parse(nested(200)))).toBe(nested(200));
    for (const depth of [201, 32_000]) {
      expect(() => canonicalJson(JSON.parse(nested(depth)))).toThrow(
        expect.objectContaining({ code: 'body_too_deep', status: 400 }),
      );
    }
  });
});
