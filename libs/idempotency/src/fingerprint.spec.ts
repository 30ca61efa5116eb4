import fc from 'fast-check';
import { fingerprintOf } from './fingerprint';

const parts = () => fc.array(fc.jsonValue(), { maxLength: 3 });
const textOf = (value: unknown) => JSON.stringify(JSON.parse(JSON.stringify(value)));

describe('R14 fingerprintOf', () => {
  it('R14 is a SHA-256: 32 bytes, and stable from one release to the next', () => {
    expect(fingerprintOf('POST /orders', {}, { b: 1, a: 'x' }).toString('hex')).toBe(STABLE);
  });

  it('R14 is the same for every spelling of the same request', () => {
    expect(fingerprintOf('POST /orders', {}, { a: 1, b: [2] })).toEqual(
      fingerprintOf('POST /orders', {}, { b: [2], a: 1 }),
    );
  });

  it('R14 differs as soon as one part differs', () => {
    fc.assert(
      fc.property(parts(), parts(), (one, other) => {
        fc.pre(textOf(one) !== textOf(other));
        expect(fingerprintOf(...one).equals(fingerprintOf(...other))).toBe(sortedText(one) === sortedText(other));
      }),
    );
  });

  it.each([
    ['a part moved into its neighbour', ['ab', 'c'], ['a', 'bc']],
    ['a part more', ['a'], ['a', '']],
    ['a text that spells a document', ['POST', '{"a":1}'], ['POST', { a: 1 }]],
    ['a text that spells a number', ['1'], [1]],
    ['parts that look like lengths', ['1:a', 'b'], ['1', ':ab']],
    ['halves of pairs, which are one character in UTF-8', ['\ud800'], ['\ud801']],
    ['half a pair from what UTF-8 makes of it', ['\ud800'], ['\ufffd']],
    ['two numbers next to one another', [9007199254740991], [9007199254740992]],
  ])('R14 tells %s', (_, one, other) => {
    expect(fingerprintOf(...one).equals(fingerprintOf(...other))).toBe(false);
  });
});

/** Two texts of the same request may differ only in the order of their keys. */
function sortedText(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

const STABLE = 'cabc6956e4163ec0fc39d08abb0282e4da7c3baba839b279b5cbff9dbb2b4827';
