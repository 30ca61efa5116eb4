/** The books without HTTP: charging, refunding, and answering once per key. */
import fc from 'fast-check';
import { asking, newCall, openBooks, pageUrl, reread } from '../../testing';
import { chargesOf } from './audit';

const call = { key: 'k', fingerprint: 'f' };

describe('Books', () => {
  it('charge once per key and answer the same thing again', () => {
    const { books, intents } = openBooks();
    const first = intents.create(call, asking(), pageUrl);
    expect(first).toMatchObject({ status: 200, body: { id: 'pi_1', status: 'succeeded', amount: 100 } });
    expect(intents.create(call, asking(), pageUrl)).toEqual({ ...first, replayed: true });
    expect(chargesOf(books)).toHaveLength(1);
  });

  it('charge twice without a key', () => {
    const { books, intents } = openBooks();
    for (const fingerprint of ['f', 'f']) intents.create({ fingerprint }, asking(), pageUrl);
    expect(chargesOf(books)).toHaveLength(2);
  });

  it('refuse a key that was used for something else', () => {
    const { intents } = openBooks();
    intents.create(call, asking(), pageUrl);
    expect(() => intents.create({ ...call, fingerprint: 'g' }, asking(), pageUrl)).toThrow(/same parameters/);
  });

  it('keep a decline, charge no money for it and refund none', () => {
    const { books, intents, refunds } = openBooks();
    const declined = intents.create(call, asking('tok_declined'), pageUrl);
    expect(declined).toMatchObject({ status: 402, body: { error: { decline_code: 'generic_decline' } } });
    expect(intents.create(call, asking('tok_declined'), pageUrl)).toEqual({ ...declined, replayed: true });
    expect(chargesOf(books)).toEqual([]);
    expect(books.intents.get('pi_1').status).toBe('requires_payment_method');
    expect(books.charges.get('ch_1')).toMatchObject({ status: 'failed', paid: false, failure_code: 'card_declined' });
    expect(refunds.create(newCall(), { paymentIntent: 'pi_1', metadata: {} }).status).toBe(400);
  });

  it('do not keep the answer for an unknown payment', () => {
    const { entries, refunds } = openBooks();
    expect(() => refunds.create(call, { paymentIntent: 'pi_9', metadata: {} })).toThrow(/No such/);
    expect(entries).toEqual([]);
  });

  it('change nothing when the journal cannot be written', () => {
    const full = () => {
      throw new Error('no space left');
    };
    const { books, intents } = openBooks({ append: full });
    expect(() => intents.create(call, asking(), pageUrl)).toThrow('no space left');
    expect([books.intents.all(), books.events.all(), books.hasAnswer('k')]).toEqual([[], [], false]);
  });

  it('never refund more than was charged, whatever is asked, and are the same when read from the journal', () => {
    const amounts = fc.array(fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }), { maxLength: 8 });
    fc.assert(
      fc.property(amounts, fc.boolean(), (asked, fails) => {
        const { books, entries, intents, refunds } = openBooks();
        intents.create(newCall(), asking(), pageUrl);
        for (const amount of asked) refunds.create(newCall(), { paymentIntent: 'pi_1', amount, metadata: {} });
        if (fails && books.refunds.find('re_1')) refunds.fail('re_1');
        const given = books.refunds
          .all()
          .filter(({ status }) => status === 'succeeded')
          .reduce((sum, { amount }) => sum + amount, 0);
        expect(given).toBeLessThanOrEqual(100);
        expect(chargesOf(books)[0]?.refunded).toBe(given);
        expect(contentOf(reread(entries))).toEqual(contentOf(books));
      }),
    );
  });

  it('charge again under a key that they have forgotten, and keep the first charge, after a restart too', () => {
    const { books, entries, intents } = openBooks();
    intents.create(call, asking(), pageUrl);
    books.forgetKeys();
    expect([books.hasAnswer('k'), chargesOf(books)]).toMatchObject([false, [{ id: 'pi_1', idempotencyKey: 'k' }]]);
    const again = reread(entries);
    expect([again.hasAnswer('k'), chargesOf(again)]).toEqual([false, chargesOf(books)]);
    intents.create(call, asking(), pageUrl);
    expect(chargesOf(books)).toHaveLength(2);
  });

  it('give back no part that does not exist in the currency', () => {
    const { intents, refunds } = openBooks();
    intents.create(newCall(), asking('tok_ok', { currency: 'isk', amount: 500_100 }), pageUrl);
    const refund = (amount: number) => refunds.create(newCall(), { paymentIntent: 'pi_1', amount, metadata: {} });
    expect(() => refund(50)).toThrow(/divisible by 100/);
    expect(refund(500_100)).toMatchObject({ status: 200, body: { amount: 500_100 } });
  });

  it('are empty when cleared', () => {
    const { books, entries, intents } = openBooks();
    intents.create(call, asking(), pageUrl);
    books.clear();
    expect(contentOf(books)).toEqual(contentOf(openBooks().books));
    expect([books.hasAnswer('k'), entries]).toEqual([false, []]);
  });

  it('say that a journal of an earlier version has to go', () => {
    const old = { key: 'k', fingerprint: 'f', status: 200, body: { id: 'pi_1', object: 'payment_intent' } };
    expect(() => reread([old as never])).toThrow(/earlier version/);
  });
});

function contentOf({ intents, charges, refunds, disputes, payouts, transactions, events }: ReturnType<typeof reread>) {
  return [intents, charges, refunds, disputes, payouts, transactions, events].map((shelf) => shelf.all());
}
