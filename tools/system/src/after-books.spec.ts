/** The books of what follows orders: even ones have no fault, and each fault is told. */
import { type AfterBooks, faultsAfter, type FollowedOrder } from './after-books';

const KEPT: FollowedOrder = {
  id: 'kept',
  customerId: 'ann',
  status: 'confirmed',
  confirmedAt: '2026-01-01T00:00:00.000Z',
  total: { amount: 1_099, currency: 'EUR' },
};
const GIVEN_BACK: FollowedOrder = { ...KEPT, id: 'back', status: 'cancelled' };
const DECLINED: FollowedOrder = { ...KEPT, id: 'declined', status: 'cancelled', confirmedAt: undefined };
const orders = [KEPT, GIVEN_BACK, DECLINED];

function even(): AfterBooks {
  const entries = [
    { orderId: 'kept', points: 10 },
    { orderId: 'back', points: 10 },
    { orderId: 'back', points: -10 },
  ];
  return {
    deliveries: [
      { id: 'd1', orderId: 'kept', status: 'handed_over' },
      { id: 'd2', orderId: 'back', status: 'recalled' },
    ],
    shipments: [
      { reference: 'd1', status: 'in_transit' },
      { reference: 'd2', status: 'recalled' },
    ],
    notifications: [
      { id: 'n1', orderId: 'kept', template: 'order-confirmed', status: 'sent' },
      { id: 'n2', orderId: 'back', template: 'order-confirmed', status: 'sent' },
      { id: 'n3', orderId: 'back', template: 'order-cancelled', status: 'suppressed' },
      { id: 'n4', orderId: 'declined', template: 'order-cancelled', status: 'sent' },
    ],
    entries,
    balances: [{ customerId: 'ann', balance: 10, entries }],
    mails: [{ messageId: '<n1@shop.example>' }, { messageId: '<n2@shop.example>' }, { messageId: '<n4@shop.example>' }],
  };
}

const faultsOf = (spoil: (books: AfterBooks) => void, changed: Partial<FollowedOrder> = {}): string[] => {
  const books = even();
  spoil(books);
  return faultsAfter([{ ...KEPT, ...changed }, GIVEN_BACK, DECLINED], books);
};

describe('the books of what follows orders', () => {
  it('are even when each order has what is due to it', () => {
    expect(faultsAfter(orders, even())).toEqual([]);
  });

  it('are even when an order was heard as cancelled before it was confirmed', () => {
    const books = even();
    books.entries.splice(1);
    books.deliveries[1]!.status = 'stopped';
    books.shipments.splice(1);
    books.notifications.splice(1, 1);
    books.mails.splice(1, 1);
    expect(faultsAfter(orders, books)).toEqual([]);
  });

  it('do not ask for the points of a customer who was erased', () => {
    const forget = (books: AfterBooks) => {
      books.entries.splice(0, 1);
      books.balances = [];
    };
    expect(faultsOf(forget)).toHaveLength(1);
    expect(faultsOf(forget, { customerId: 'erased' })).toEqual([]);
  });

  it.each<[what: string, spoil: (books: AfterBooks) => void, fault: RegExp]>([
    ['points that are missing', ({ entries }) => entries.splice(0, 1), /kept is confirmed and has points of \[\]/],
    [
      'points given twice',
      ({ entries }) => entries.push(entries[0]!),
      /kept is confirmed and has points of \[10, 10\]/,
    ],
    ['points that are not taken back', ({ entries }) => entries.pop(), /back is cancelled and has points of \[10\]/],
    [
      'points given and taken back twice',
      ({ entries }) => entries.push(entries[1]!, entries[2]!),
      /back is cancelled and has points/,
    ],
    [
      'points for an order that was never confirmed',
      ({ entries }) => entries.push({ orderId: 'declined', points: 1 }, { orderId: 'declined', points: -1 }),
      /declined is cancelled and has points of \[1, -1\]/,
    ],
    ['too few points', ({ entries }) => (entries[0] = { orderId: 'kept', points: 9 }), /has points of \[9\]/],
    ['a balance that is not the sum', ({ balances }) => (balances[0]!.balance = 20), /ann has 20 points/],
    ['no delivery', ({ deliveries }) => deliveries.splice(0, 1), /kept is confirmed, and nobody delivers it/],
    ['a delivery that waits', ({ deliveries }) => (deliveries[0]!.status = 'waiting'), /its delivery is waiting/],
    ['two parcels', ({ shipments }) => shipments.push(shipments[0]!), /kept has 1 deliveries and 2 parcels/],
    ['no parcel', ({ shipments }) => shipments.splice(0, 1), /handed_over, with 0 parcels/],
    [
      'a parcel of a cancelled order',
      ({ shipments }) => (shipments[1]!.status = 'in_transit'),
      /its parcel is on its way/,
    ],
    [
      'a delivery of a cancelled order',
      ({ deliveries }) => (deliveries[1]!.status = 'parked'),
      /its delivery is parked/,
    ],
    [
      'news that did not come',
      ({ shipments }) => (shipments[0]!.status = 'delivered'),
      /handed_over here, and delivered/,
    ],
    [
      'a parcel that nobody knows',
      ({ shipments }) => shipments.push({ reference: 'd9', status: '' }),
      /carrier has d9/,
    ],
    ['a mail that is not queued', ({ notifications }) => notifications.splice(0, 1), /told so 0 times/],
    ['a mail that is parked', ({ notifications }) => (notifications[0]!.status = 'parked'), /order kept is parked/],
    [
      'the wrong mail',
      ({ notifications }) => (notifications[0]!.template = 'order-cancelled'),
      /kept is confirmed, and its customer is told order-cancelled/,
    ],
    [
      'a mail that the money is back',
      ({ notifications }) =>
        notifications.push({ id: 'n9', orderId: 'kept', template: 'payment-refunded', status: 'suppressed' }),
      /told that the money is back/,
    ],
    ['a mail that did not arrive', ({ mails }) => mails.splice(0, 1), /of order kept was got 0 times/],
    ['a mail that arrived twice', ({ mails }) => mails.push(mails[0]!), /of order kept was got 2 times/],
    [
      'a mail that was not to be sent',
      ({ mails }) => mails.push({ messageId: '<n3@shop.example>' }),
      /is suppressed here/,
    ],
    [
      'what follows an order that is not there',
      ({ notifications }) =>
        notifications.push({ id: 'n9', orderId: 'x', template: 'order-confirmed', status: 'suppressed' }),
      /a mail for the unknown order x/,
    ],
  ])('tell of %s', (_what, spoil, fault) => {
    expect(faultsOf(spoil)).toEqual(expect.arrayContaining([expect.stringMatching(fault)]));
  });
});
