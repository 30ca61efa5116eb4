import Stripe from 'stripe';
import { signatureOf, signedContent } from './signed-body';

const secret = 'whsec_0123456789abcdef';
const other = 'whsec_fedcba9876543210';
const bytes = Buffer.from('{"id":"evt_1","text":"ä"}');
const at = 1_767_225_600;
const header = signatureOf(bytes, { secret, at });
const read = (signature: string | undefined, { body = bytes, nowSeconds = at, secrets = [secret] } = {}) =>
  signedContent({ bytes: body, signature, nowSeconds }, secrets);
const invalid = expect.objectContaining({ status: 400, code: 'signature_invalid' });

describe('R54 R57 a signed body', () => {
  it('R54 is read when it is signed with one of the secrets, as Stripe signs', () => {
    expect(read(header)).toEqual({ id: 'evt_1', text: 'ä' });
    expect(read(header, { secrets: [other, secret] })).toEqual({ id: 'evt_1', text: 'ä' });
    const theirs = Stripe.webhooks.generateTestHeaderString({ payload: bytes.toString(), secret, timestamp: at });
    expect(theirs).toBe(header);
    expect(read(`t=${at},v1=${'0'.repeat(64)},${header.split(',')[1]}`)).toEqual({ id: 'evt_1', text: 'ä' });
  });

  it.each([
    ['without a signature', undefined],
    ['with an empty one', ''],
    ['with that of another secret', signatureOf(bytes, { secret: other, at })],
    ['with that of other bytes', signatureOf(Buffer.from('{}'), { secret, at })],
    ['with one that is cut', header.slice(0, -1)],
    ['with one of another scheme', header.replace('v1', 'v0')],
    ['with a time that was not signed', header.replace(String(at), String(at + 1))],
    ['without a time', header.split(',')[1]],
  ])('R54 is not believed %s', (_, signature) => {
    expect(() => read(signature)).toThrow(invalid);
  });

  it('R54 is not believed when it was signed long ago, or will be', () => {
    expect(read(header, { nowSeconds: at + 300 })).toBeDefined();
    expect(() => read(header, { nowSeconds: at + 301 })).toThrow(invalid);
    expect(() => read(header, { nowSeconds: at - 301 })).toThrow(invalid);
  });

  it('R54 is not believed without any secret, and is malformed when it is no JSON', () => {
    expect(() => read(header, { secrets: [] })).toThrow(invalid);
    const body = Buffer.from('{');
    const signature = signatureOf(body, { secret, at });
    expect(() => read(signature, { body })).toThrow(
      expect.objectContaining({ status: 400, code: 'malformed_request' }),
    );
  });
});
