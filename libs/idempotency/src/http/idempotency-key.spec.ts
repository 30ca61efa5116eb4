import fc from 'fast-check';
import type { Problem } from '@shop/problem';
import { readIdempotencyKey } from './idempotency-key';

const visible = () =>
  fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 255 })
    .map((codes) => String.fromCharCode(...codes));
const quoted = (key: string) => `"${key.replace(/[\\"]/g, '\\$&')}"`;

function codeOf(header: string | string[] | undefined): string {
  try {
    return `accepted ${readIdempotencyKey(header)}`;
  } catch (error) {
    const { body } = error as Problem;
    return `${body.status} ${body.code}`;
  }
}

describe('R13 the Idempotency-Key', () => {
  it('R13 is 1 to 255 visible ASCII characters as they are', () => {
    fc.assert(
      fc.property(visible(), (key) => {
        fc.pre(!key.startsWith('"'));
        expect(readIdempotencyKey(key)).toBe(key);
      }),
    );
  });

  it('R13 or the same characters as an RFC 8941 string, and both are one key', () => {
    fc.assert(fc.property(visible(), (key) => expect(readIdempotencyKey(quoted(key))).toBe(key)));
    expect(readIdempotencyKey('"8e03978e-40d5-43dd-bc93-6894a57f9324"')).toBe(
      readIdempotencyKey('8e03978e-40d5-43dd-bc93-6894a57f9324'),
    );
    expect(readIdempotencyKey('  "a"  ')).toBe('a');
  });

  it('R13 missing is told apart from malformed', () => {
    expect(codeOf(undefined)).toBe('400 idempotency_key_missing');
    expect(codeOf('')).toBe('400 idempotency_key_invalid');
  });

  it.each([
    ['nothing between the quotes', '""'],
    ['a space', 'a b'],
    ['a space between quotes', '"a b"'],
    ['a letter beyond ASCII', 'schlüssel'],
    ['a control character', 'a\tb'],
    ['256 characters', 'k'.repeat(256)],
    ['256 characters between quotes', quoted('k'.repeat(256))],
    ['a quote that is not closed', '"abc'],
    ['a quote too many', '"ab"c"'],
    ['an escape that RFC 8941 does not know', '"a\\b"'],
    ['an escaped closing quote', '"abc\\"'],
    ['the header twice', ['a', 'b']],
    ['the header twice, joined', 'a, b'],
  ])('R13 %s is malformed', (_, header) => {
    expect(codeOf(header)).toBe('400 idempotency_key_invalid');
  });

  it('R13 of 255 characters still fits when it is quoted', () => {
    expect(readIdempotencyKey(quoted('"'.repeat(255)))).toBe('"'.repeat(255));
  });
});
