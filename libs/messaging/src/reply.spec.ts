import { validate } from '@shop/validation';
import { Reply } from './reply';

const time = '2026-03-01T12:00:00.000Z';
const action = { type: 'redirect', url: 'https://bank.example/confirm/7', expiresAt: time };
const waiting = { until: time, for: 'customer', action };
const read = (data: object) => validate(Reply, data, { unknownProperties: 'drop' });

describe('a reply that says waiting', () => {
  it('names until when and for whom, and perhaps what the customer has to do', () => {
    for (const right of [waiting, { until: '2026-03-01T13:00:00+01:00', for: 'provider' }]) {
      expect(read({ outcome: 'waiting', waiting: right })).toMatchObject({ ok: true, value: { waiting: right } });
    }
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'soon'],
    ['no time', { ...waiting, until: undefined }],
    ['a day and no time', { ...waiting, until: '2026-03-01' }],
    ['a time without end', { ...waiting, until: `2026-03-01T12:00:00.${'0'.repeat(100)}Z` }],
    ['nobody', { ...waiting, for: 'somebody' }],
    ['an action that is none', { ...waiting, action: 'run' }],
    ['an action that nobody knows', { ...waiting, action: { ...action, type: 'dance' } }],
    ['an address that is a script', { ...waiting, action: { ...action, url: 'javascript:alert(1)' } }],
    ['an address without end', { ...waiting, action: { ...action, url: `https://a.example/${'x'.repeat(2_100)}` } }],
    ['an action without an end', { ...waiting, action: { ...action, expiresAt: undefined } }],
  ])('R29 cannot be read with %s', (_, wrong) => {
    expect(read({ outcome: 'waiting', waiting: wrong }).ok).toBe(false);
  });

  it('leaves other replies as they were', () => {
    expect(read({ outcome: 'succeeded', result: { paymentId: 'p' } })).toMatchObject({ ok: true });
    expect(read({ outcome: 'refused', reason: 'no' })).toMatchObject({ ok: true });
    expect(read({ outcome: 'maybe' }).ok).toBe(false);
  });
});
