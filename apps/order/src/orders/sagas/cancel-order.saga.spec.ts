/** The stories of taking back a confirmed order, without a database, a broker or a clock. */
import { given } from '@shop/saga/testing';
import { type CancelOrder, cancelOrder, cancelOrderV1 } from './cancel-order.saga';

const cancelling: CancelOrder = { tenant: 'acme', orderId: 'o-1', placedBy: 's-1', promotions: ['TEN'] };
const theDelivery = { tenant: 'acme', orderId: 'o-1' };
const theCharge = { tenant: 'acme', orderId: 'o-1', chargeId: 's-1/charge/do' };
const theReservation = { tenant: 'acme', reservationId: 's-1' };

const stopping = () => given(cancelOrder, cancelling).expects('stop-delivery.do', theDelivery);

describe('cancel-order', () => {
  it('R9 stops the delivery, gives the money back and puts the pieces back', () => {
    stopping()
      .whenReply('succeeded')
      .expects('refund.do', theCharge)
      .whenReply('succeeded')
      .expects('restock.do', theReservation)
      .whenReply('succeeded')
      .endsAs('completed');
  });

  it('R9 ends at once when the delivery cannot be stopped any more: nothing was done', () => {
    stopping().whenReply('refused', 'already_shipped').endsAs('compensated', 'already_shipped');
  });

  it('R5 R9 asks for as long as it takes whether the delivery is stopped, and touches no money meanwhile', () => {
    const story = stopping();
    for (let time = 0; time < 50; time++) story.whenDeadlinePasses().expects('stop-delivery.do', theDelivery);
    story.whenReply('refused', 'already_shipped').endsAs('compensated', 'already_shipped');
  });

  it('R9 waits while the carrier is asked to bring it back, and asks again', () => {
    stopping()
      .whenWaiting()
      .whenDeadlinePasses()
      .expects('stop-delivery.do')
      .whenReply('succeeded')
      .expects('refund.do');
  });

  it('R5 R9 goes on for as long as it takes, once the delivery is stopped', () => {
    const story = stopping().whenReply('succeeded').expects('refund.do');
    for (let time = 0; time < 50; time++) story.whenDeadlinePasses().expects('refund.do', theCharge);
    story.whenReply('succeeded').expects('restock.do').whenReply('succeeded').endsAs('completed');
  });

  it('R6 is parked when the money cannot be given back, and goes on behind what was done by hand', () => {
    stopping()
      .whenReply('succeeded')
      .expects('refund.do')
      .whenReply('refused', 'charge_too_old')
      .isParked()
      .whenOperator('skip', 'refunded by bank transfer')
      .expects('restock.do')
      .whenReply('succeeded')
      .endsAs('completed');
  });
});

describe('cancel-order of before there were deliveries', () => {
  it('R8 R9 gives the money back and puts the pieces back', () => {
    given(cancelOrderV1, cancelling)
      .expects('refund.do', theCharge)
      .whenReply('succeeded')
      .expects('restock.do', theReservation)
      .whenReply('succeeded')
      .endsAs('completed');
  });
});
