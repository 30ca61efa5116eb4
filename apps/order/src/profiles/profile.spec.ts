/** What a profile may say. */
import { validate } from '@shop/validation';
import { contentJson, contentOf, ProfileBody, sameContent } from './profile';

const alice = { displayName: 'Alice', email: 'alice@example.com', locale: 'en-GB' };
const address = { line1: '1 Main Street', city: 'Berlin', country: 'DE' };

const check = (changed: object) => validate(ProfileBody, { ...alice, ...changed }, { unknownProperties: 'refuse' });
const content = (changed: object = {}) => {
  const checked = check(changed);
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  return contentOf(checked.value);
};

describe('a profile', () => {
  it.each<[string, object]>([
    ['no more than it has to', {}],
    [
      'a phone and an address',
      { phone: '+4930123456', address: { ...address, postalCode: '10115', region: 'Berlin' } },
    ],
    ['null for what it does not have', { phone: null, address: null }],
    ['null within an address', { address: { ...address, line2: null } }],
    ['a name in any script', { displayName: '李 "Lee" O\\Neill 🎈' }],
    ['an address with letters beyond ASCII', { email: 'zoë@exämple.de' }],
    ['the longest locale', { locale: 'de-Latn-CH-1996' }],
  ])('may have %s', (_, changed) => {
    expect(check(changed).ok).toBe(true);
  });

  it.each<[string, object, string]>([
    ['no name', { displayName: undefined }, 'displayName'],
    ['an empty name', { displayName: '' }, 'displayName'],
    ['a long name', { displayName: 'x'.repeat(101) }, 'displayName'],
    ['NUL in a name', { displayName: 'a\0b' }, 'displayName'],
    ['no e-mail', { email: null }, 'email'],
    ['an e-mail without a domain', { email: 'alice' }, 'email'],
    ['an e-mail with a name', { email: 'Alice <alice@example.com>' }, 'email'],
    ['an e-mail that is a list', { email: ['alice@example.com'] }, 'email'],
    [
      'a long e-mail',
      { email: `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}.de` },
      'email',
    ],
    ['a locale of an operating system', { locale: 'en_GB' }, 'locale'],
    ['a locale in words', { locale: 'English, please' }, 'locale'],
    ['an endless locale', { locale: `en-${'abcdefgh-'.repeat(100)}x` }, 'locale'],
    ['a phone without a country', { phone: '030 123456' }, 'phone'],
    ['a phone that is too long', { phone: '+1234567890123456' }, 'phone'],
    ['a phone that is a number', { phone: 4930123456 }, 'phone'],
    ['an address that is a text', { address: '1 Main Street, Berlin' }, 'address'],
    ['an address without a city', { address: { ...address, city: undefined } }, 'address.city'],
    ['an unknown country', { address: { ...address, country: 'XX' } }, 'address.country'],
    ['a country in small letters', { address: { ...address, country: 'de' } }, 'address.country'],
    ['a long line', { address: { ...address, line1: 'x'.repeat(201) } }, 'address.line1'],
    ['what nobody knows', { birthday: '2000-01-01' }, 'birthday'],
    ['what nobody knows in the address', { address: { ...address, planet: 'Earth' } }, 'address.planet'],
  ])('must not have %s', (_, changed, path) => {
    const checked = check(changed);
    expect(checked).toMatchObject({ ok: false, faults: [{ path }] });
  });

  it('is the same whether what it does not say is null or left out, in any order', () => {
    const reversed = Object.fromEntries(Object.entries(address).reverse());
    expect(sameContent(content({ address }), content({ phone: null, address: { line2: null, ...reversed } }))).toBe(
      true,
    );
    expect(sameContent(content({ address }), content({ address: { ...address, city: 'Bonn' } }))).toBe(false);
    expect(sameContent(content(), content({ phone: '+4930123456' }))).toBe(false);
  });

  it('is shown in one order, and without what it does not say', () => {
    const reversed = Object.fromEntries(Object.entries({ ...address, line2: null }).reverse());
    expect(JSON.stringify(contentJson(content({ phone: null, address: reversed })))).toBe(
      JSON.stringify({ ...alice, address }),
    );
  });
});
