/** What an erasure tells the person: what is gone, what is still there, and why. Pure, and the same each time. */
import type { ErasedDataView, KeptDataView, ProfileErasureView } from './profile.view';

const erased: readonly ErasedDataView[] = [
  { what: 'profile', how: 'removed' },
  { what: 'carts', how: 'removed' },
  { what: 'customer of orders that have ended', how: 'replaced; they belong to nobody any more' },
  { what: 'customer of the uses of promotions', how: 'replaced' },
];

const kept: readonly KeptDataView[] = [
  { what: 'amounts, goods and times of orders', why: 'the books need them; they name nobody' },
  {
    what: 'stored answers to requests, and notes of operators',
    why: 'answers expire after 72 hours; an operator erases both with POST /erasures/customer',
  },
  {
    what: 'points, deliveries and mails',
    why: 'another service keeps them, with the id of the customer; an operator erases it there with POST /erasures/customer',
  },
  {
    what: 'reservations and payments',
    why: 'other services keep them, without a name; an operator erases there what could still be connected',
  },
];

/** @param openOrders how many orders of the customer have not ended */
export function erasureReport(openOrders: number): ProfileErasureView {
  const open = {
    what: 'open orders',
    why: 'they need their customer until they have ended; ask again then',
    count: openOrders,
  };
  return { erased: [...erased], kept: openOrders > 0 ? [open, ...kept] : [...kept] };
}
