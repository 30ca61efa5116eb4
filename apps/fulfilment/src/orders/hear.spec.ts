/** Events of one order in every order and repetition, and what follows from them. */
import { effectsOf } from './effects';
import { hear, type HeardOrder, type OrderNews } from './hear';

const key = { tenant: 'acme', orderId: '01a20621-a6cd-74b9-a1c3-459d717a98c4' };
const confirmed: OrderNews = { ...key, kind: 'confirmed', amount: 2_499, currency: 'EUR', earlier: false };
const cancelled: OrderNews = { ...key, kind: 'cancelled', earlier: false };
const neverConfirmed: OrderNews = { ...key, kind: 'cancelled', reason: 'out_of_stock', earlier: false };
const content = { customerId: 'alice', placedBy: 'shop', lines: [{ sku: 'cup', quantity: 2 }] };

const hearAll = (...news: OrderNews[]): HeardOrder =>
  news.reduce<HeardOrder | undefined>((known, one) => hear(known, one), undefined)!;

describe('R40 what is heard of an order', () => {
  it.each([
    [[confirmed, cancelled]],
    [[cancelled, confirmed]],
    [[confirmed, cancelled, confirmed]],
    [[cancelled, cancelled, confirmed, cancelled]],
  ])('is the same in any order, however often it comes: %#', (news) => {
    expect(hearAll(...news)).toEqual({
      ...key,
      status: 'cancelled',
      wasConfirmed: true,
      earlier: false,
      amount: 2_499,
      currency: 'EUR',
      reason: undefined,
    });
  });

  it('tells an order that was never confirmed from one that was', () => {
    expect(hearAll(neverConfirmed)).toMatchObject({ wasConfirmed: false, reason: 'out_of_stock' });
    expect(hearAll(cancelled)).toMatchObject({ wasConfirmed: true, reason: undefined });
  });

  it('leaves a confirmed order with points, a mail and a delivery', () => {
    expect(effectsOf(hearAll(confirmed, confirmed), content)).toEqual({
      earnings: [{ ...key, customerId: 'alice', placedBy: 'shop', points: 24 }],
      takenBack: [],
      notifications: [
        {
          ...key,
          customerId: 'alice',
          template: 'order-confirmed',
          cause: key.orderId,
          data: { amount: 2_499, currency: 'EUR', reason: undefined, lines: content.lines },
          suppressed: false,
        },
      ],
      deliveries: [{ ...key, customerId: 'alice', placedBy: 'shop', lines: content.lines, suppressed: false }],
    });
  });

  it.each([[[confirmed, cancelled]], [[cancelled, confirmed]], [[neverConfirmed]]])(
    'leaves a cancelled order with one mail and without points or a delivery: %#',
    (news) => {
      const { earnings, takenBack, notifications, deliveries } = effectsOf(hearAll(...news), content);
      expect([earnings, takenBack, deliveries]).toEqual([[], [key], []]);
      expect(notifications.map(({ template, cause }) => [template, cause])).toEqual([['order-cancelled', key.orderId]]);
    },
  );

  it('gives an order of before the birth of the service its points, and neither mail nor delivery', () => {
    const { earnings, notifications, deliveries } = effectsOf(hearAll({ ...confirmed, earlier: true }), content);
    expect(earnings).toHaveLength(1);
    expect([...notifications, ...deliveries].map(({ suppressed }) => suppressed)).toEqual([true, true]);
    // What happens later is cared for here.
    const later = effectsOf(hearAll({ ...confirmed, earlier: true }, cancelled), content);
    expect(later.notifications[0]!.suppressed).toBe(false);
  });

  it('only delivers what was paid when the customer was erased meanwhile', () => {
    const none = { earnings: [], takenBack: [], notifications: [], deliveries: [] };
    const { lines } = content;
    const delivery = { ...key, customerId: 'erased', lines, suppressed: false };
    expect(effectsOf(hearAll(confirmed), { lines })).toEqual({ ...none, deliveries: [delivery] });
    expect(effectsOf(hearAll(cancelled), { lines })).toEqual({ ...none, takenBack: [key] });
  });

  it('earns no entry of zero points', () => {
    expect(effectsOf(hearAll({ ...confirmed, amount: 99 }), content).earnings).toEqual([]);
  });
});
