/** What a customer reads about each state of an order and its saga. */
import { progressOf, type SeenSaga } from './progress';

const saga = (changed: Partial<SeenSaga> = {}): SeenSaga => ({
  status: 'running',
  step: 'reserve',
  action: 'do',
  attempt: 1,
  ...changed,
});
const pending = { status: 'pending' } as const;
const until = '2026-03-01T12:15:00.000Z';

describe('the progress of an order', () => {
  it.each([
    ['reserve', 10, 'We are setting aside what you ordered.'],
    ['charge', 40, 'Your payment is being made.'],
    ['confirm', 80, 'Your payment is done, and the order is being confirmed.'],
    ['a step of another version', 50, 'We are working on your order.'],
    ['constructor', 50, 'We are working on your order.'],
  ])('on its way to confirmed, at the step %s', (step, percent, text) => {
    const progress = progressOf(pending, saga({ step }));
    expect(progress).toEqual({ status: 'in_progress', percent, text, step, attempt: 1 });
  });

  it('says that a step takes longer when it was asked for again', () => {
    const { text, attempt } = progressOf(pending, saga({ step: 'charge', attempt: 3 }));
    expect([text, attempt]).toEqual(['Your payment is being made. It takes longer than usual.', 3]);
  });

  it('asks the customer to act, and says until when', () => {
    const nextAction = { type: 'redirect', url: 'https://bank.example/1', expiresAt: until } as const;
    const waits = saga({ step: 'charge', attempt: 0, waiting: { for: 'customer', until } });
    expect(progressOf({ ...pending, nextAction }, waits)).toEqual({
      status: 'waiting_for_customer',
      percent: 40,
      text: 'Please confirm the payment at your bank.',
      step: 'charge',
      attempt: 0,
      until,
    });
  });

  it('asks nothing of the customer while the bank decides', () => {
    const progress = progressOf(pending, saga({ step: 'charge', attempt: 0, waiting: { for: 'provider', until } }));
    expect(progress).toMatchObject({ status: 'waiting_for_bank', percent: 40, until });
    expect(progress.text).toBe('Your bank has not decided about the payment yet. You need not do anything.');
  });

  it.each([
    ['charge', 'undo', 30, 'What you paid is being given back.'],
    ['reserve', 'undo', 70, 'What was set aside for you is being put back.'],
    ['stop-delivery', 'do', 10, 'Its delivery is being stopped.'],
    ['refund', 'do', 30, 'What you paid is being given back.'],
    ['restock', 'do', 70, 'What was set aside for you is being put back.'],
    // The order has gone on, and its saga was read a moment before.
    ['reserve', 'do', 50, 'We are taking back what was done for it.'],
  ] as const)('on its way back, at %s.%s', (step, action, percent, what) => {
    const turned = saga({ status: 'compensating', step, action });
    const progress = progressOf({ status: 'cancelling', reason: 'payment_declined' }, turned);
    const text = `Your order is being cancelled: the payment was declined. ${what}`;
    expect(progress).toEqual({ status: 'cancelling', percent, text, step, attempt: 1 });
  });

  it.each(['undo_unanswered', 'refused'])('says of a parked saga only that the shop has to act: %s', (reason) => {
    const parked = saga({ status: 'parked', step: 'charge', action: 'undo', attempt: 20, reason });
    const progress = progressOf({ status: 'cancelling', reason: 'out_of_stock' }, parked);
    expect(progress).toMatchObject({ status: 'held_up', percent: 30 });
    expect(progress.text).toBe(
      'Your order is being cancelled: something in it is sold out. ' +
        'Something needs the attention of the shop. You need not do anything.',
    );
  });

  it('says the same of one that is parked on its way forward', () => {
    const progress = progressOf(pending, saga({ status: 'parked', step: 'confirm', attempt: 6, reason: 'gone' }));
    expect(progress).toMatchObject({ status: 'held_up', percent: 80, step: 'confirm' });
    expect(progress.text).toBe('Something needs the attention of the shop. You need not do anything.');
  });

  it('keeps the word of a customer who cancels when the saga cannot turn round any more', () => {
    const asked = saga({ step: 'confirm', reason: 'cancelled_by_client' });
    expect(progressOf(pending, asked)).toMatchObject({ status: 'cancelling', percent: 80, step: 'confirm' });
  });

  it.each([
    ['out_of_stock', 'something in it is sold out'],
    ['payment_expired', 'the payment was not confirmed in time'],
    ['cancelled_by_client', 'it was asked for'],
    ['limit_reached', 'one customer may not have so many pieces of something in it'],
  ])('ends as cancelled, with the reason %s in words', (reason, why) => {
    expect(progressOf({ status: 'cancelled', reason }, saga({ status: 'compensated' }))).toEqual({
      status: 'cancelled',
      percent: 100,
      text: `Your order was cancelled: ${why}. None of your money was kept.`,
    });
  });

  it.each([undefined, 'a_code_of_another_release', '__proto__'])('has no words for the reason %s', (reason) => {
    const { text } = progressOf({ status: 'cancelled', reason }, undefined);
    expect(text).toBe('Your order was cancelled. None of your money was kept.');
  });

  it('ends as confirmed, whatever its saga looked like a moment before', () => {
    const done = { status: 'confirmed', percent: 100, text: 'Your order is confirmed.' };
    for (const seen of [undefined, saga({ step: 'confirm' }), saga({ status: 'completed', step: 'confirm' })]) {
      expect(progressOf({ status: 'confirmed' }, seen)).toEqual(done);
    }
  });

  it('tells that it was delivered, and why it was not cancelled', () => {
    const textOf = (more: object) => progressOf({ status: 'confirmed', ...more }, undefined).text;
    const cancellationRefused = 'already_shipped';
    const tooLate = 'It could not be cancelled any more, because it was already on its way to you.';
    expect(textOf({ deliveredAt: until })).toBe('Your order was delivered.');
    expect(textOf({ cancellationRefused })).toBe(`Your order is confirmed. ${tooLate}`);
    expect(textOf({ deliveredAt: until, cancellationRefused })).toBe(`Your order was delivered. ${tooLate}`);
  });
});
