/** The books without HTTP: charging, refunding, and answering once per key. */
import fc from 'fast-check';
import type { JournalEntry } from './answer';
import { Books, type World } from './books';
import type { Journal } from './journal';

describe('Books', () => {
  it('charges once per key and answers the same thing again', () => {
    const { books } = openBooks();
    const first = books.charge({ key: 'k', fingerprint: 'f' }, form());
    expect(first).toMatchObject({ status: 200, body: { id: 'pi_1', status: 'succeeded', amount: 100 } });
    expect(books.charge({ key: 'k', fingerprint: 'f' }, form())).toEqual({ ...first, replayed: true });
    expect(books.charges()).toHaveLength(1);
  });

  it('charges twice without a key', () => {
    const { books } = openBooks();
    for (const fingerprint of ['f', 'f']) books.charge({ fingerprint }, form());
    expect(books.charges()).toHaveLength(2);
  });

  it('refuses a key that was used for something else', () => {
    const { books } = openBooks();
    books.charge({ key: 'k', fingerprint: 'f' }, form());
    expect(() => books.charge({ key: 'k', fingerprint: 'g' }, form())).toThrow(/same parameters/);
  });

  it('stores a decline, charges no money for it and refunds none', () => {
    const { books } = openBooks();
    const declined = books.charge({ key: 'k', fingerprint: 'f' }, form('tok_declined'));
    expect(declined).toMatchObject({ status: 402, body: { error: { decline_code: 'generic_decline' } } });
    expect(books.charge({ key: 'k', fingerprint: 'f' }, form('tok_declined'))).toEqual({ ...declined, replayed: true });
    expect(books.charges()).toEqual([]);
    expect(books.intent('pi_1').status).toBe('requires_payment_method');
    expect(books.refund({ fingerprint: 'r' }, { paymentIntent: 'pi_1', metadata: {} }).status).toBe(400);
  });

  it('does not store the answer for an unknown payment', () => {
    const { books, entries } = openBooks();
    expect(() => books.refund({ key: 'k', fingerprint: 'f' }, { paymentIntent: 'pi_9', metadata: {} })).toThrow(
      /No such/,
    );
    expect(entries).toEqual([]);
  });

  it('changes nothing when the journal cannot be written', () => {
    const full = () => {
      throw new Error('no space left');
    };
    const books = new Books({ entries: [], append: full, clear: () => undefined }, counting());
    expect(() => books.charge({ key: 'k', fingerprint: 'f' }, form())).toThrow('no space left');
    expect([books.charges(), books.hasAnswer('k')]).toEqual([[], false]);
  });

  it('never refunds more than was charged, whatever is asked, and reads the same books from its journal', () => {
    const amounts = fc.array(fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }), { maxLength: 8 });
    fc.assert(
      fc.property(amounts, (asked) => {
        const { books, entries } = openBooks();
        books.charge({ fingerprint: 'f' }, form());
        for (const amount of asked) books.refund({ fingerprint: 'r' }, { paymentIntent: 'pi_1', amount, metadata: {} });
        const given = books.refunds.reduce((sum, { amount }) => sum + amount, 0);
        expect(given).toBeLessThanOrEqual(100);
        expect(books.charges()[0]?.refunded).toBe(given);
        const reread = new Books({ entries, append: () => undefined, clear: () => undefined }, counting());
        expect([reread.charges(), reread.refunds]).toEqual([books.charges(), books.refunds]);
      }),
    );
  });

  it('charges again under a key that it has forgotten, and keeps the first charge, after a restart too', () => {
    const { books, entries } = openBooks();
    books.charge({ key: 'k', fingerprint: 'f' }, form());
    books.forgetKeys();
    expect([books.hasAnswer('k'), books.charges()]).toMatchObject([false, [{ id: 'pi_1', idempotencyKey: 'k' }]]);
    const reread = new Books({ entries, append: () => undefined, clear: () => undefined }, counting());
    expect([reread.hasAnswer('k'), reread.charges()]).toEqual([false, books.charges()]);
    books.charge({ key: 'k', fingerprint: 'f' }, form());
    expect(books.charges()).toHaveLength(2);
  });

  it('gives back no part that does not exist in the currency', () => {
    const { books } = openBooks();
    books.charge({ fingerprint: 'f' }, { ...form(), currency: 'isk', amount: 500_100 });
    const refund = (amount: number) =>
      books.refund({ fingerprint: 'r' }, { paymentIntent: 'pi_1', amount, metadata: {} });
    expect(() => refund(50)).toThrow(/divisible by 100/);
    expect(refund(500_100)).toMatchObject({ status: 200, body: { amount: 500_100 } });
  });

  it('forgets everything when cleared', () => {
    const { books, entries } = openBooks();
    books.charge({ key: 'k', fingerprint: 'f' }, form());
    books.clear();
    expect([books.charges(), books.intents, books.hasAnswer('k'), entries]).toEqual([[], [], false, []]);
  });
});

function openBooks(): { books: Books; entries: JournalEntry[] } {
  const entries: JournalEntry[] = [];
  const journal: Journal<JournalEntry> = {
    entries: [],
    append: (entry) => void entries.push(entry),
    clear: () => void entries.splice(0),
  };
  return { books: new Books(journal, counting()), entries };
}

function counting(): World {
  const counts = { pi: 0, ch: 0, re: 0 };
  return { nowMs: () => 1_700_000_000_000, newId: (prefix) => `${prefix}_${(counts[prefix] += 1)}` };
}

function form(source = 'tok_ok') {
  return { amount: 100, currency: 'usd', source, metadata: { commandId: 'c' } };
}
