/** The guard over money that goes back, for every small set of books. */
import { type Books, isOverdrawn, leftOf, takenOf } from './money-back';

const STATUSES = ['pending', 'authorized', 'succeeded', 'declined', 'cancelled'];
const AMOUNTS = [0, 1, 2, 3];

/** Every payment of up to three cents, with everything that may have become of each cent. */
function* allBooks(): Generator<Required<Books>> {
  for (const status of STATUSES)
    for (const amount of AMOUNTS)
      for (const captured of [null, ...AMOUNTS.filter((one) => one <= amount)])
        for (const refunded of AMOUNTS)
          for (const promised of AMOUNTS)
            for (const disputed of AMOUNTS) yield { status, amount, captured, refunded, promised, disputed };
}

const goneFrom = ({ refunded, promised, disputed }: Required<Books>) => refunded + promised + disputed;

describe('R57 what is left of a payment to give back', () => {
  it('R57 is never more than was taken and has not gone', () => {
    for (const books of allBooks()) {
      const left = leftOf(books);
      expect(left).toBeGreaterThanOrEqual(0);
      if (left > 0) expect(left + goneFrom(books)).toBe(takenOf(books));
    }
  });

  it('R57 is nothing when all has gone, in whatever way, and never nothing before', () => {
    for (const books of allBooks()) {
      if (books.status !== 'succeeded') expect(leftOf(books)).toBe(0);
      else expect(leftOf(books) === 0).toBe(goneFrom(books) >= takenOf(books));
    }
  });

  it('R57 gets no larger by anything that goes, whoever gives it', () => {
    for (const books of allBooks()) {
      for (const way of ['refunded', 'promised', 'disputed'] as const) {
        expect(leftOf({ ...books, [way]: books[way] + 1 })).toBeLessThanOrEqual(leftOf(books));
      }
    }
  });

  it('R57 is the same when a promise is kept, and larger when it is not', () => {
    for (const books of allBooks()) {
      const { promised, refunded } = books;
      expect(leftOf({ ...books, promised: 0, refunded: refunded + promised })).toBe(leftOf(books));
      expect(leftOf({ ...books, promised: 0 })).toBeGreaterThanOrEqual(leftOf(books));
    }
  });

  it('R58 counts what was captured, and not what is only held', () => {
    const books = { amount: 100, refunded: 0 };
    expect(takenOf({ ...books, status: 'authorized', captured: 40 })).toBe(40);
    expect(leftOf({ ...books, status: 'authorized', captured: 40 })).toBe(0);
    expect(leftOf({ ...books, status: 'succeeded', captured: 40 })).toBe(40);
    expect(leftOf({ ...books, status: 'succeeded', captured: null })).toBe(100);
    expect(takenOf({ ...books, status: 'cancelled', captured: 0 })).toBe(0);
  });

  it('R57 tells when a dispute has taken more than there was', () => {
    const books = { status: 'succeeded', amount: 100, captured: null, refunded: 60 };
    expect(isOverdrawn({ ...books, disputed: 40 })).toBe(false);
    expect(isOverdrawn({ ...books, disputed: 41 })).toBe(true);
    expect(leftOf({ ...books, disputed: 41 })).toBe(0);
  });
});
