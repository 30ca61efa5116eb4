import { defineCommand } from '@shop/messaging';
import { decide, start } from './decide';
import { type DeadlinePolicy, defineSaga, type SagaDefinition, step } from './definition';
import type { ActionName, Decided, SagaEvent, SagaState } from './saga-state';

const action = (name: string) => ({
  command: defineCommand({ service: 'test', name, version: 1, body: class {} }),
  body: () => ({}),
});

function stepOf(name: string, options: { undo?: boolean; pivot?: boolean; deadline?: Partial<DeadlinePolicy> } = {}) {
  const { undo = true, pivot = false, deadline } = options;
  return step<object>(name, { do: action(name), undo: undo ? action(`un${name}`) : undefined, pivot, deadline });
}

describe('decide, by example', () => {
  const placeOrder = defineSaga('place-order', 1, [
    stepOf('reserve', { deadline: { attempts: 2 } }),
    stepOf('charge', { deadline: { attempts: 2, undoAttempts: 2 } }),
    stepOf('confirm', { pivot: true, undo: false, deadline: { attempts: 2 } }),
  ]) as SagaDefinition<never>;
  const cancelOrder = defineSaga('cancel-order', 1, [
    stepOf('refund', { undo: false, deadline: { attempts: 2 } }),
    stepOf('restock', { undo: false, deadline: { attempts: 2 } }),
  ]) as SagaDefinition<never>;

  type Happening = (awaited: SagaState) => SagaEvent;
  const reply = (of: string, outcome: 'succeeded' | 'refused', reason?: string): Happening => {
    const [step, action] = of.split('.') as [string, ActionName];
    return () => ({ type: 'replied', step, action, outcome, reason });
  };
  const ok = (of: string) => reply(of, 'succeeded');
  const no = (of: string, reason: string) => reply(of, 'refused', reason);
  const late: Happening = ({ step, action, attempt }) => ({ type: 'deadline-passed', step, action, attempt });
  const cancel: Happening = () => ({ type: 'cancel-requested', reason: 'cancelled_by_client' });

  /** Lists what is sent, what is ignored, and how the saga ends. */
  function play(definition: SagaDefinition<never>, ...happenings: Happening[]): string[] {
    const story: string[] = [];
    let { state } = tell(start(definition));
    for (const happening of happenings) {
      const decision = decide(definition, state, happening(state));
      if ('ignored' in decision) story.push(`(${decision.ignored})`);
      else ({ state } = tell(decision));
    }
    const { status, reason, cancelRequested } = state;
    return [...story, [status, reason, cancelRequested && 'cancel kept'].filter(Boolean).join(', ')];

    function tell(decision: Decided) {
      const { send } = decision;
      if (send) story.push(`${send.step}.${send.action}${send.attempt > 1 ? ` #${send.attempt}` : ''}`);
      return decision;
    }
  }

  it('R1 goes through all steps', () => {
    expect(play(placeOrder, ok('reserve.do'), ok('charge.do'), ok('confirm.do'))).toEqual([
      'reserve.do',
      'charge.do',
      'confirm.do',
      'completed',
    ]);
  });

  it('R2 out of stock: nothing was done, so nothing is undone', () => {
    expect(play(placeOrder, no('reserve.do', 'out_of_stock'))).toEqual(['reserve.do', 'compensated, out_of_stock']);
  });

  it('R2 declined: the reservation is released', () => {
    expect(play(placeOrder, ok('reserve.do'), no('charge.do', 'payment_declined'), ok('reserve.undo'))).toEqual([
      'reserve.do',
      'charge.do',
      'reserve.undo',
      'compensated, payment_declined',
    ]);
  });

  it('R2 confirm refused: refunded, then released', () => {
    const happenings = [
      ok('reserve.do'),
      ok('charge.do'),
      no('confirm.do', 'reservation_expired'),
      ok('charge.undo'),
      ok('reserve.undo'),
    ];
    expect(play(placeOrder, ...happenings)).toEqual([
      'reserve.do',
      'charge.do',
      'confirm.do',
      'charge.undo',
      'reserve.undo',
      'compensated, reservation_expired',
    ]);
  });

  it('R5 a charge that is never answered is asked again, then undone: it may have happened', () => {
    expect(play(placeOrder, ok('reserve.do'), late, late, ok('charge.undo'), ok('reserve.undo'))).toEqual([
      'reserve.do',
      'charge.do',
      'charge.do #2',
      'charge.undo',
      'reserve.undo',
      'compensated, timed_out',
    ]);
  });

  it('R5 a pivot that is never answered is asked for as long as it takes', () => {
    expect(play(placeOrder, ok('reserve.do'), ok('charge.do'), late, late, late, ok('confirm.do'))).toEqual([
      'reserve.do',
      'charge.do',
      'confirm.do',
      'confirm.do #2',
      'confirm.do #3',
      'confirm.do #4',
      'completed',
    ]);
  });

  it('R9 cancelled while reserving: the reservation, which may have been made, is released', () => {
    expect(play(placeOrder, cancel, ok('reserve.undo'))).toEqual([
      'reserve.do',
      'reserve.undo',
      'compensated, cancelled_by_client',
    ]);
  });

  it('R9 cancelled while charging: refunded and released, and the late answer to the charge is ignored', () => {
    expect(play(placeOrder, ok('reserve.do'), cancel, ok('charge.do'), ok('charge.undo'), ok('reserve.undo'))).toEqual([
      'reserve.do',
      'charge.do',
      'charge.undo',
      '(repeated-or-late)',
      'reserve.undo',
      'compensated, cancelled_by_client',
    ]);
  });

  it('R9 cancelled while the pivot is on its way: the wish is kept and the saga completes', () => {
    expect(play(placeOrder, ok('reserve.do'), ok('charge.do'), cancel, cancel, ok('confirm.do'))).toEqual([
      'reserve.do',
      'charge.do',
      'confirm.do',
      '(already-requested)',
      'completed, cancelled_by_client, cancel kept',
    ]);
  });

  it('R9 a cancel cannot interrupt a compensation', () => {
    const happenings = [ok('reserve.do'), no('charge.do', 'payment_declined'), cancel, ok('reserve.undo'), cancel];
    expect(play(placeOrder, ...happenings)).toEqual([
      'reserve.do',
      'charge.do',
      'reserve.undo',
      '(already-compensating)',
      '(ended)',
      'compensated, payment_declined',
    ]);
  });

  it('R6 a refund that stays unanswered parks the saga, and its late answer lets it go on', () => {
    const parked = [ok('reserve.do'), cancel, late, late];
    const sent = ['reserve.do', 'charge.do', 'charge.undo', 'charge.undo #2'];
    expect(play(placeOrder, ...parked)).toEqual([...sent, 'parked, cancelled_by_client']);
    expect(play(placeOrder, ...parked, late, ok('charge.undo'), ok('reserve.undo'))).toEqual([
      ...sent,
      '(repeated-or-late)',
      'reserve.undo',
      'compensated, cancelled_by_client',
    ]);
  });

  it('R6 an undo that is refused parks the saga', () => {
    expect(play(placeOrder, cancel, no('reserve.undo', 'unknown_command'))).toEqual([
      'reserve.do',
      'reserve.undo',
      'parked, cancelled_by_client',
    ]);
  });

  it('R9 a saga without a pivot only goes on, and parks when it is refused', () => {
    expect(play(cancelOrder, late, late, late, ok('refund.do'), ok('restock.do'))).toEqual([
      'refund.do',
      'refund.do #2',
      'refund.do #3',
      'refund.do #4',
      'restock.do',
      'completed',
    ]);
    expect(play(cancelOrder, ok('refund.do'), no('restock.do', 'unknown_command'), ok('restock.do'))).toEqual([
      'refund.do',
      'restock.do',
      'completed',
    ]);
  });

  it('R9 a wish to cancel that comes while the saga is parked behind the pivot is kept', () => {
    expect(play(cancelOrder, no('refund.do', 'unknown_command'), cancel, ok('refund.do'), ok('restock.do'))).toEqual([
      'refund.do',
      'restock.do',
      'completed, cancelled_by_client, cancel kept',
    ]);
  });
});
