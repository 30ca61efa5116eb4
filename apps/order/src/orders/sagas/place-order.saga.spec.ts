/** The stories of placing an order, without a database, a broker or a clock. */
import { given } from '@shop/saga/testing';
import { type PlaceOrder, placeOrder } from './place-order.saga';

const order: PlaceOrder = {
  tenant: 'acme',
  orderId: 'o-1',
  lines: [{ sku: 'cup', quantity: 2 }],
  amount: 2_400,
  currency: 'EUR',
  source: 'tok_ok',
};
const reservation = { tenant: 'acme', reservationId: 's-1' };
const theCharge = { tenant: 'acme', orderId: 'o-1', chargeId: 's-1/charge/do' };

const reserved = () =>
  given(placeOrder, order, 's-1')
    .expects('reserve.do', { ...reservation, lines: order.lines })
    .whenReply('succeeded');
const charged = () =>
  reserved()
    .expects('charge.do', { tenant: 'acme', orderId: 'o-1', amount: 2_400, currency: 'EUR', source: 'tok_ok' })
    .whenReply('succeeded');

describe('place-order', () => {
  it('R1 reserves the pieces, charges the customer, and confirms the reservation', () => {
    charged().expects('confirm.do', reservation).whenReply('succeeded').endsAs('completed');
  });

  it('R1 waits for a customer who has to act, asks again when there is news, and confirms', () => {
    reserved()
      .expects('charge.do')
      .whenWaiting()
      .ignoresHint('reserve')
      .whenHinted()
      .expects('charge.do')
      .whenReply('succeeded')
      .expects('confirm.do')
      .whenReply('succeeded')
      .endsAs('completed');
  });

  it('R2 gives the pieces free when the customer does not come: the charge is asked at the end of the wait', () => {
    reserved()
      .expects('charge.do')
      .whenWaiting()
      .whenDeadlinePasses()
      .expects('charge.do')
      .whenReply('refused', 'payment_expired')
      .expects('reserve.undo')
      .whenReply('succeeded')
      .endsAs('compensated', 'payment_expired');
  });

  it('R9 does not wait for the customer when it is cancelled', () => {
    reserved()
      .expects('charge.do')
      .whenWaiting()
      .whenCancelled()
      .expects('charge.undo', theCharge)
      .whenReply('succeeded')
      .expects('reserve.undo')
      .whenReply('succeeded')
      .endsAs('compensated', 'cancelled_by_client');
  });

  it('lets the money only be held when the order says so', () => {
    const { tenant, orderId, amount, currency, source } = order;
    const body = { tenant, orderId, amount, currency, source, capture: 'manual' };
    given(placeOrder, { ...order, capture: 'manual' })
      .expects('reserve.do')
      .whenReply('succeeded')
      .expects('charge.do', body)
      .whenReply('succeeded')
      .expects('confirm.do');
  });

  it('takes over the reservation that the client made before, and tells whose limit counts', () => {
    const customer = 'c0ffee'.padEnd(64, '0');
    given(placeOrder, { ...order, takes: 'r-1', customer, promotions: ['TEN'] }, 's-1')
      .expects('reserve.do', { ...reservation, lines: order.lines, takes: 'r-1', customer })
      .whenReply('succeeded')
      .expects('charge.do', { tenant: 'acme', orderId: 'o-1', amount: 2_400, currency: 'EUR', source: 'tok_ok' })
      .whenReply('refused', 'card_declined')
      .expects('reserve.undo', reservation)
      .whenReply('succeeded')
      .endsAs('compensated', 'card_declined');
  });

  it.each(['limit_reached', 'reservation_used', 'reservation_mismatch', 'reservation_expired'])(
    'ends at once when the reservation is refused: %s',
    (reason) => {
      given(placeOrder, { ...order, takes: 'r-1' })
        .expects('reserve.do')
        .whenReply('refused', reason)
        .endsAs('compensated', reason);
    },
  );

  it('R2 ends at once when the pieces are out of stock: nothing was done', () => {
    given(placeOrder, order)
      .expects('reserve.do')
      .whenReply('refused', 'out_of_stock')
      .endsAs('compensated', 'out_of_stock');
  });

  it('R2 gives the pieces free when the customer cannot pay', () => {
    reserved()
      .expects('charge.do')
      .whenReply('refused', 'payment_declined')
      .expects('reserve.undo', reservation)
      .whenReply('succeeded')
      .endsAs('compensated', 'payment_declined');
  });

  it('R2 gives the money back, then the pieces free, when the reservation is gone', () => {
    charged()
      .expects('confirm.do')
      .whenReply('refused', 'reservation_expired')
      .expects('charge.undo', theCharge)
      .whenReply('succeeded')
      .expects('reserve.undo', reservation)
      .whenReply('succeeded')
      .endsAs('compensated', 'reservation_expired');
  });

  it('R2 undoes a reservation that was never answered, because it may have been made', () => {
    given(placeOrder, order)
      .expects('reserve.do')
      .whenNobodyAnswers()
      .expects('reserve.undo')
      .ignoresReply('reserve.do')
      .whenReply('succeeded')
      .endsAs('compensated', 'timed_out');
  });

  it('R4 refunds a charge whose outcome nobody told', () => {
    reserved()
      .expects('charge.do')
      .whenNobodyAnswers()
      .expects('charge.undo', theCharge)
      .ignoresReply('charge.do')
      .whenReply('succeeded')
      .expects('reserve.undo')
      .whenReply('succeeded')
      .endsAs('compensated', 'timed_out');
  });

  it('R5 asks again for the confirmation for as long as it takes', () => {
    const story = charged().expects('confirm.do');
    for (let time = 0; time < 50; time++) story.whenDeadlinePasses().expects('confirm.do', reservation);
    story.whenReply('succeeded').endsAs('completed');
  });

  it('R6 waits parked for a refund that is not answered, and goes on when it is', () => {
    reserved()
      .expects('charge.do')
      .whenCancelled('cancelled_by_client')
      .expects('charge.undo')
      .whenNobodyAnswers()
      .isParked()
      .whenReply('succeeded')
      .expects('reserve.undo')
      .whenReply('succeeded')
      .endsAs('compensated', 'cancelled_by_client');
  });

  it('R6 goes back past a refund that was made by hand', () => {
    reserved()
      .expects('charge.do')
      .whenCancelled('cancelled_by_client')
      .expects('charge.undo')
      .whenReply('refused', 'charge_too_old')
      .isParked()
      .whenOperator('skip', 'refunded by bank transfer')
      .expects('reserve.undo')
      .whenReply('succeeded')
      .endsAs('compensated', 'cancelled_by_client');
  });

  it('R6 asks once more when an operator says so, and is cancelled by one like by a client', () => {
    reserved()
      .expects('charge.do')
      .ignoresOperator('skip')
      .whenOperator('retry')
      .expects('charge.do')
      .whenOperator('cancel')
      .expects('charge.undo')
      .ignoresOperator('cancel')
      .whenReply('succeeded')
      .expects('reserve.undo')
      .whenReply('succeeded')
      .endsAs('compensated', 'cancelled_by_operator');
  });

  it('R9 turns back from where it is when the client cancels: during the reservation payment hears nothing', () => {
    given(placeOrder, order, 's-1')
      .expects('reserve.do')
      .whenCancelled('cancelled_by_client')
      .expects('reserve.undo', reservation)
      .ignoresReply('reserve.do')
      .ignoresCancel()
      .whenReply('succeeded')
      .endsAs('compensated', 'cancelled_by_client');
  });

  it('R9 keeps a wish to cancel that comes behind the confirmation’s departure', () => {
    charged()
      .expects('confirm.do')
      .whenCancelled('cancelled_by_client')
      .whenReply('succeeded')
      .endsAs('completed', 'cancelled_by_client', { cancelRequested: true });
  });
});
