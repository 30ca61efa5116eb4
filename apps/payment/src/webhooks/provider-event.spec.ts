import { handlersOf, type ProviderEventHandler, readEvent } from './provider-event';

const intent = {
  id: 'pi_1',
  object: 'payment_intent',
  metadata: { tenant: 'acme', paymentId: 'pmt_1', commandId: 'c' },
};
const content = (changed: object = {}, object: object | null = intent): object => ({
  id: 'evt_1',
  type: 'payment_intent.succeeded',
  created: 1_767_225_600,
  livemode: false,
  data: { object },
  ...changed,
});

describe('R57 an event of the provider', () => {
  it('R57 is read as ids', () => {
    expect(readEvent(content())).toEqual({
      event: {
        id: 'evt_1',
        type: 'payment_intent.succeeded',
        objectId: 'pi_1',
        intentId: 'pi_1',
        tenant: 'acme',
        paymentId: 'pmt_1',
        createdAt: '2026-01-01T00:00:00.000Z',
      },
      isLive: false,
      account: undefined,
    });
    expect(readEvent(content({ livemode: true, account: 'acct_1' }))).toMatchObject({
      isLive: true,
      account: 'acct_1',
    });
  });

  it.each<[string, object | null, string, string | null]>([
    ['a refund', { id: 're_1', object: 'refund', payment_intent: 'pi_2' }, 're_1', 'pi_2'],
    [
      'a charge with the whole intent',
      { id: 'ch_1', object: 'charge', payment_intent: { id: 'pi_3' } },
      'ch_1',
      'pi_3',
    ],
    ['a payout', { id: 'po_1', object: 'payout' }, 'po_1', null],
    ['an intent without an id', { object: 'payment_intent' }, '', null],
    ['nothing', null, '', null],
  ])('R57 tells the charge that it is about: %s', (_, object, objectId, intentId) => {
    expect(readEvent(content({}, object))?.event).toMatchObject({ objectId, intentId, tenant: null, paymentId: null });
  });

  it.each([
    [{ tenant: 'acme' }],
    [{ tenant: 'acme', paymentId: '7' }],
    [{ tenant: 'ac me', paymentId: 'pmt_1' }],
    [{ tenant: 1, paymentId: 'pmt_1' }],
    ['acme'],
    [null],
  ])('R57 names no payment with the metadata %j', (metadata) => {
    expect(readEvent(content({}, { ...intent, metadata }))?.event).toMatchObject({ tenant: null, paymentId: null });
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text', 'evt_1'],
    ['a list', [content()]],
    ['without an id', content({ id: undefined })],
    ['with a long id', content({ id: 'e'.repeat(256) })],
    ['with an id that is a sentence', content({ id: 'evt 1' })],
    ['without a type', content({ type: 7 })],
    ['without a time', content({ created: 'now' })],
    ['with a time that no calendar has', content({ created: Number.MAX_SAFE_INTEGER })],
    ['about an object with a number', content({}, { id: 7 })],
  ])('R57 is no event: %s', (_, value) => {
    expect(readEvent(value)).toBeUndefined();
  });
});

describe('R57 the handlers of a type', () => {
  const handler = (...types: string[]): ProviderEventHandler => ({ types, handle: () => Promise.resolve('done') });
  const [payouts, charges, captures] = [
    handler('payout.'),
    handler('charge.captured', 'payment_intent.succeeded'),
    handler('payment_intent.succeeded'),
  ] as const;
  const all = [payouts, charges, captures];

  it.each([
    ['payout.paid', [payouts], 'payout.'],
    ['payment_intent.succeeded', [charges, captures], 'payment_intent.succeeded'],
    ['charge.captured', [charges], 'charge.captured'],
    ['charge.captured.again', [], 'other'],
    ['payout', [], 'other'],
  ])('R57 are all that name it: %s', (type, handlers, label) => {
    expect(handlersOf(all, type)).toEqual({ handlers, label });
  });
});
