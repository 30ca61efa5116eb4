import { randomBytes } from 'node:crypto';
import { DEVELOPMENT_DATA_KEYS, parseDataKeys, Sealer, UnopenedError, weaknessesOfDataKeys } from './index';

const newKey = () => randomBytes(32).toString('base64');
const [old, young] = [`old:${newKey()}`, `young:${newKey()}`];
const PLACE = 'charge/acme/order-1';

describe('a sealed text', () => {
  const sealer = new Sealer(old);

  it.each(['tok_ok', '', '💳'.repeat(200), 'a.b,c:d'])('comes back as it was (%#)', (text) => {
    const sealed = sealer.seal(text, PLACE);
    expect(sealed).toMatch(/^sealed\.v1\.old\.[\w-]+$/);
    expect(sealer.open(sealed, PLACE)).toBe(text);
  });

  it('does not show what is in it, and is another one each time', () => {
    const [one, other] = [sealer.seal('tok_ok', PLACE), sealer.seal('tok_ok', PLACE)];
    expect(one).not.toBe(other);
    expect(Buffer.from(one.split('.')[3]!, 'base64url').toString('latin1')).not.toContain('tok_ok');
  });

  it('opens at its place only', () => {
    expect(() => sealer.open(sealer.seal('tok_ok', PLACE), 'charge/acme/order-2')).toThrow(UnopenedError);
  });

  it('does not open when one bit of it is changed', () => {
    const sealed = sealer.seal('tok_ok', PLACE);
    const head = sealed.slice(0, sealed.lastIndexOf('.') + 1);
    const bytes = Buffer.from(sealed.slice(head.length), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      expect(() => sealer.open(head + changed.toString('base64url'), PLACE)).toThrow(UnopenedError);
    }
  });

  it.each(['sealed.', 'sealed.v2.old.AAAA', 'sealed.v1.old.', 'sealed.v1.old.AAAA', 'sealed.v1.old.!'])(
    'is not what only looks like one: %s',
    (text) => expect(() => sealer.open(text, PLACE)).toThrow(UnopenedError),
  );

  it('may be absent: what an earlier release has written is as it is', () => {
    expect(sealer.open('tok_ok', PLACE)).toBe('tok_ok');
  });

  it('opens while its key is in the list, first or not', () => {
    const sealed = sealer.seal('tok_ok', PLACE);
    expect(new Sealer(`${young},${old}`).open(sealed, PLACE)).toBe('tok_ok');
    expect(new Sealer(`${young}, ${old}`).seal('tok_ok', PLACE)).toMatch(/^sealed\.v1\.young\./);
    const without = () => new Sealer(young).open(sealed, PLACE);
    expect(without).toThrow('DATA_KEYS has no key "old"');
    // Another key under the same id is as good as none.
    expect(() => new Sealer(`old:${newKey()}`).open(sealed, PLACE)).toThrow(UnopenedError);
  });
});

describe('the list of data keys', () => {
  it.each([
    ['', /at least one/],
    ['nonsense', /entry 1 must be id:base64/],
    [`${old},young:c2hvcnQ=`, /entry 2 must be id:base64, with 32 bytes/],
    [`bad id:${newKey()}`, /entry 1/],
    [`${old},old:${newKey()}`, /entry 2 has an id that another entry has/],
  ])('R54 is refused, and no key of it is told (%#)', (text, message) => {
    const parse = () => parseDataKeys(text);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow(/c2hvcnQ/);
  });

  it('R54 is not fit for production with the key of development, or with one that is not random', () => {
    const [, known] = DEVELOPMENT_DATA_KEYS.split(':');
    expect(weaknessesOfDataKeys(`${old},other-name:${known},zero:${Buffer.alloc(32).toString('base64')}`)).toEqual([
      'entry 2 of DATA_KEYS is the key of development',
      'entry 3 of DATA_KEYS is not random',
    ]);
    expect(weaknessesOfDataKeys(`${old},${young}`)).toEqual([]);
  });
});
