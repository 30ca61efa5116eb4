import { defineCommand } from '@shop/messaging';
import { defineSaga, type Results, step } from '../src/definition';
import { given } from './index';

interface Journey {
  traveller: string;
}

const action = (name: string) => ({
  command: defineCommand({ service: 'travel', name, version: 1, body: class {} }),
  body: ({ traveller }: Journey, sagaId: string) => ({ traveller, booking: sagaId }),
});

const bookJourney = defineSaga<Journey>('book-journey', 1, [
  step('flight', { do: action('book-flight'), undo: action('cancel-flight'), deadline: { attempts: 2 } }),
  step('hotel', {
    do: action('book-hotel'),
    undo: action('cancel-hotel'),
    deadline: { attempts: 3, undoAttempts: 4 },
  }),
  step('pay', { do: action('pay'), pivot: true }),
  step('tickets', { do: action('send-tickets') }),
]);

const journey = { traveller: 'Ada' };

describe('book-journey', () => {
  it('R1 books the flight, then the hotel, then pays, then sends the tickets', () => {
    given(bookJourney, journey, 'b-1')
      .expects('flight.do', { traveller: 'Ada', booking: 'b-1' })
      .whenReply('succeeded')
      .expects('hotel.do')
      .whenReply('succeeded')
      .expects('pay.do')
      .whenReply('succeeded')
      .expects('tickets.do')
      .whenReply('succeeded')
      .endsAs('completed');
  });

  it('R2 cancels the flight when the hotel is full', () => {
    given(bookJourney, journey)
      .expects('flight.do')
      .whenReply('succeeded')
      .expects('hotel.do')
      .whenReply('refused', 'hotel_full')
      .expects('flight.undo')
      .whenReply('succeeded')
      .endsAs('compensated', 'hotel_full');
  });

  it('R5 cancels a hotel that never answered, because it may have heard', () => {
    given(bookJourney, journey)
      .expects('flight.do')
      .whenReply('succeeded')
      .expects('hotel.do')
      .whenNobodyAnswers()
      .expects('hotel.undo')
      .ignoresReply('hotel.do')
      .whenReply('succeeded')
      .expects('flight.undo')
      .whenReply('succeeded')
      .endsAs('compensated', 'timed_out');
  });

  it('R9 keeps a wish to cancel that comes when the money is on its way', () => {
    given(bookJourney, journey)
      .expects('flight.do')
      .whenReply('succeeded')
      .expects('hotel.do')
      .whenReply('succeeded')
      .expects('pay.do')
      .whenCancelled()
      .ignoresCancel()
      .whenDeadlinePasses()
      .expects('pay.do')
      .whenReply('succeeded')
      .expects('tickets.do')
      .whenReply('succeeded')
      .endsAs('completed', 'cancelled_by_client', { cancelRequested: true });
  });

  it('R6 waits parked for a hotel that cannot be cancelled, and goes on when it answers at last', () => {
    given(bookJourney, journey)
      .expects('flight.do')
      .whenReply('succeeded')
      .expects('hotel.do')
      .whenCancelled('rain')
      .expects('hotel.undo')
      .whenNobodyAnswers()
      .isParked()
      .ignoresReply('hotel.undo', 'refused')
      .whenReply('succeeded')
      .expects('flight.undo')
      .whenReply('succeeded')
      .endsAs('compensated', 'rain');
  });
});

/** Each command repeats the results of the steps so far. */
const telling = (name: string) => ({
  command: defineCommand({ service: 'travel', name, version: 1, body: class {} }),
  body: (_: Journey, __: string, results: Results) => ({ told: results }),
});
const tellJourney = defineSaga<Journey>('tell-journey', 1, [
  step('flight', { do: telling('book-flight'), undo: telling('cancel-flight') }),
  step('hotel', { do: telling('book-hotel'), undo: telling('cancel-hotel') }),
  step('pay', { do: telling('pay'), pivot: true }),
]);

describe('what a step was told', () => {
  const booked = () =>
    given(tellJourney, journey).expects('flight.do', { told: {} }).whenReply('succeeded', undefined, { seat: '12A' });

  it('R1 is in the body of each later command, also when it is sent again', () => {
    booked()
      .expects('hotel.do', { told: { flight: { seat: '12A' } } })
      .whenDeadlinePasses()
      .expects('hotel.do', { told: { flight: { seat: '12A' } } })
      .ignoresReply('flight.do')
      .whenReply('succeeded', undefined, { room: 7 })
      .expects('pay.do', { told: { flight: { seat: '12A' }, hotel: { room: 7 } } })
      .whenReply('succeeded')
      .endsAs('completed');
  });

  it('R1 stays away when the reply told nothing', () => {
    booked()
      .expects('hotel.do')
      .whenReply('succeeded')
      .expects('pay.do', { told: { flight: { seat: '12A' } } });
  });

  it('R2 does not count when it was told by a refusal, or by an undo', () => {
    booked()
      .expects('hotel.do')
      .whenReply('succeeded')
      .expects('pay.do')
      .whenReply('refused', 'no_money', { receipt: 1 })
      .expects('hotel.undo', { told: { flight: { seat: '12A' } } })
      .whenReply('succeeded', undefined, { room: 'free' })
      .expects('flight.undo', { told: { flight: { seat: '12A' } } })
      .whenReply('succeeded')
      .endsAs('compensated', 'no_money');
  });
});

describe('a scenario that is not what the saga does', () => {
  const begun = () => given(bookJourney, journey).expects('flight.do');

  it.each<[string, () => unknown, string]>([
    ['the wrong command', () => begun().whenReply('succeeded').expects('pay.do'), 'saw "hotel.do" instead of "pay.do"'],
    ['the wrong body', () => given(bookJourney, journey).expects('flight.do', {}), 'with the right body'],
    [
      'a command it forgot',
      () => given(bookJourney, journey).whenReply('succeeded'),
      'saw "flight.do" instead of nothing',
    ],
    ['a command that was not sent', () => begun().expects('flight.do'), 'saw nothing instead of "flight.do"'],
    ['the wrong end', () => begun().whenReply('refused', 'fog').endsAs('completed'), 'ends as completed'],
    ['the wrong reason', () => begun().whenReply('refused', 'fog').endsAs('compensated', 'rain'), '"reason":"fog"'],
    ['an end too early', () => begun().endsAs('completed'), '"status":"running"'],
    ['a reply that is not awaited', () => begun().ignoresReply('flight.do'), 'ignores on replied flight.do'],
    [
      'an event that moves nothing',
      () => begun().whenReply('refused', 'fog').whenCancelled(),
      'moves on cancel-requested',
    ],
    ['a parking that is none', () => begun().isParked(), 'is parked'],
  ])('fails for %s, and says after what', (_, tell, message) => {
    expect(tell).toThrow(message);
  });
});
