import { isDeepStrictEqual } from 'node:util';
import fc, { type GeneratorValue } from 'fast-check';
import { canonicalJson } from './canonical-json';
import { fingerprintOf } from './fingerprint';
import { parseJson } from './http/strict-json';

/** A document as JSON.parse reads it from the output of JSON.stringify: -0 becomes 0, and nothing else changes. */
const document = () =>
  fc.jsonValue({ stringUnit: 'binary' }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

/** Leaves out documents with keys or numbers that parseJson refuses. */
const wellBehaved = () =>
  document()
    .filter((value) => !/"(__proto__|constructor)"/.test(JSON.stringify(value)))
    .map((value) => JSON.parse(JSON.stringify(value, withSafeIntegers)) as unknown);
const withSafeIntegers = (_: string, part: unknown) =>
  Number.isInteger(part) && !Number.isSafeInteger(part) ? 0 : part;

/** The documents are small and have few possible parts. So two of them often differ only in the order of their keys. */
const smallDocument = () =>
  fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 2 }, tie('leaf'), tie('list'), tie('object')),
    leaf: fc.constantFrom<unknown>(
      0,
      1,
      10,
      '',
      '0',
      '1',
      '"',
      '\\',
      '",":',
      '[]',
      '{}',
      '\u{1f600}',
      null,
      true,
      false,
    ),
    list: fc.array(tie('value'), { maxLength: 2 }),
    object: fc
      .uniqueArray(fc.tuple(fc.constantFrom('', '1', '10', 'a', 'b', '"'), tie('value')), {
        maxLength: 2,
        selector: ([key]) => key,
      })
      .map((members) => Object.fromEntries(members) as unknown),
  })).value;

describe('R14 canonicalJson', () => {
  it('R14 is one text for every spelling of a document', () => {
    fc.assert(
      fc.property(wellBehaved(), fc.gen(), (value, choose) => {
        const read = parseJson(Buffer.from(spell(value, choose)));
        expect(canonicalJson(read)).toBe(canonicalJson(value));
      }),
      { numRuns: 500 },
    );
    const spelling = '\n{ "b" : [1.0, 10e-1, 1E+0] ,"\\u0061":"\\ud83d\\uDE00\\/"}\t';
    expect(canonicalJson(parseJson(Buffer.from(spelling)))).toBe('{"a":"\u{1f600}/","b":[1,1,1]}');
  });

  it('R14 is another text, with another fingerprint, for every other document', () => {
    const met = { same: 0, different: 0 };
    fc.assert(
      fc.property(smallDocument(), smallDocument(), (one, other) => {
        const same = isDeepStrictEqual(one, other);
        met[same ? 'same' : 'different']++;
        expect(canonicalJson(one) === canonicalJson(other)).toBe(same);
        expect(fingerprintOf(one).equals(fingerprintOf(other))).toBe(same);
      }),
      { numRuns: 3_000 },
    );
    // If there were fewer cases of either kind, this test would prove little.
    expect(Math.min(met.same, met.different)).toBeGreaterThan(50);
  });

  it('R14 is a text for the same document, and its own canonical text', () => {
    fc.assert(
      fc.property(document(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('R14 writes texts and numbers as JSON.stringify does, from one release to the next', () => {
    const anyText = fc.array(fc.nat(0xffff), { maxLength: 5 }).map((units) => String.fromCharCode(...units));
    const leaf = fc.oneof(anyText, fc.string({ unit: 'binary-ascii' }), fc.double(), fc.integer(), fc.boolean());
    fc.assert(fc.property(leaf, (value) => expect(canonicalJson(value)).toBe(JSON.stringify(value))));
    const edges = [
      '\0',
      '\x1f',
      ' ',
      '"',
      '\\',
      '\x7f',
      '\u2028',
      '\ud7ff',
      '\ud800',
      '\udfff',
      '\ue000',
      -0,
      NaN,
      Infinity,
    ];
    for (const value of edges) expect(canonicalJson(value)).toBe(JSON.stringify(value));
  });

  it('R14 writes keys in the order of their UTF-16 units, be they few or many', () => {
    const keys = fc.uniqueArray(fc.string({ maxLength: 3 }), { maxLength: 40, size: 'max' });
    fc.assert(
      fc.property(keys, (names) => {
        const ordered = [...names].sort().map((name) => `${JSON.stringify(name)}:0`);
        expect(canonicalJson(Object.fromEntries(names.map((name) => [name, 0])))).toBe(`{${ordered.join()}}`);
      }),
    );
    expect(canonicalJson({ '\u{1f600}': 1, '\uff5e': 2, 10: 3, 9: 4, b: 5, B: 6 })).toBe(
      '{"10":3,"9":4,"B":6,"b":5,"\u{1f600}":1,"\uff5e":2}',
    );
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

/** One of the many texts for a document: its keys in any order, and white space, numbers and characters in any form. */
function spell(value: unknown, choose: GeneratorValue): string {
  const space = () => choose(fc.constantFrom, '', '', ' ', '\t', '\r\n');
  const list = (members: string[]) => members.map((member) => space() + member + space()).join() || space();
  const any = (part: unknown): string => {
    if (typeof part === 'string') return spellText(part, choose);
    if (typeof part === 'number') return spellNumber(part, choose);
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    if (Array.isArray(part)) return `[${list(part.map(any))}]`;
    const members = Object.entries(part);
    const shuffled = choose(fc.shuffledSubarray<[string, unknown]>, members, { minLength: members.length });
    return `{${list(shuffled.map(([key, member]) => `${spellText(key, choose)}${space()}:${space()}${any(member)}`))}}`;
  };
  return space() + any(value) + space();
}

function spellText(text: string, choose: GeneratorValue): string {
  const escaped = (unit: string) => {
    const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${choose(fc.boolean) ? hex : hex.toUpperCase()}`;
  };
  const spelt = Array.from(text, (character) => {
    const form = choose(fc.constantFrom, 'raw', 'escaped', 'short');
    if (form === 'escaped') return character.split('').map(escaped).join('');
    if (form === 'short' && character === '/') return '\\/';
    return JSON.stringify(character).slice(1, -1);
  });
  return `"${spelt.join('')}"`;
}

/** The decimal point and extra zeros may be anywhere, if the exponent corrects the value. */
function spellNumber(number: number, choose: GeneratorValue): string {
  if (choose(fc.boolean)) return JSON.stringify(number);
  if (number === 0) return choose(fc.constantFrom, '0', '-0', '0.0', '0e0', '-0E+5', '0.000e-999');
  const [, sign, first, rest = '', power] = /^(-?)(\d)\.?(\d*)e(.*)$/.exec(number.toExponential())!;
  if (Number.isSafeInteger(number) && choose(fc.boolean)) {
    return number + choose(fc.constantFrom, '', '.0', '.000', 'e0', 'E+00', '0e-1', '.0e-0', '00e-2');
  }
  const digits = first + rest + '0'.repeat(choose(fc.nat, 4));
  const point = choose(fc.integer, { min: -3, max: digits.length });
  const padded = point > 0 ? digits : '0'.repeat(1 - point) + digits;
  const whole = padded.slice(0, Math.max(point, 1));
  const fraction = padded.slice(Math.max(point, 1));
  const exponent = Number(power) + 1 - point;
  const plus = exponent >= 0 ? choose(fc.constantFrom, '', '+', '+0') : '';
  return `${sign}${whole}${fraction && '.'}${fraction}${choose(fc.constantFrom, 'e', 'E')}${plus}${exponent}`;
}
