/**
 * Tells the story of a saga, and fails where the saga does something else:
 *
 *     given(placeOrder, data)
 *       .expects('reserve.do').whenReply('succeeded')
 *       .expects('charge.do').whenReply('refused', 'payment_declined')
 *       .expects('reserve.undo').whenReply('succeeded')
 *       .endsAs('compensated', 'payment_declined');
 *
 * It runs the same `decide` as the engine, with no database, no broker and no clock.
 */
import assert from 'node:assert/strict';
import { decide, start } from '../src/decide';
import { resultsAfter } from '../src/decide-batch';
import { type Results, type SagaDefinition, stepOf } from '../src/definition';
import { budgetOf } from '../src/moves';
import {
  type Decided,
  isFinal,
  type OperatorEvent,
  type SagaEvent,
  type SagaState,
  type SagaStatus,
  type Wait,
} from '../src/saga-state';

type Sent = NonNullable<Decided['send']>;
/** `<step>.do` or `<step>.undo` */
type CommandName = `${string}.${Sent['action']}`;

/** The id of the saga in all scenarios of one definition, for bodies that need one. */
const SAGA_ID = '00000000-0000-7000-8000-000000000000';

export function given<Data>(definition: SagaDefinition<Data>, data: Data, sagaId = SAGA_ID): Scenario<Data> {
  return new Scenario(definition, data, sagaId);
}

export class Scenario<Data> {
  private state: SagaState;
  /** The command that was sent, and that the story has not expected yet. */
  private sent?: Sent;
  private readonly story: string[] = [];
  private results: Results = {};

  constructor(
    private readonly definition: SagaDefinition<Data>,
    private readonly data: Data,
    private readonly sagaId: string,
  ) {
    const decision = start(definition);
    this.state = decision.state;
    this.sent = decision.send;
  }

  /** The saga has just sent this command. If `body` is given, the command has exactly this body. */
  expects(command: CommandName, body?: object): this {
    const sent = this.sent;
    this.check(sent && nameOf(sent), command, `sends ${command}`);
    const action = stepOf(this.definition, sent!.step)[sent!.action]!;
    const actual = body && action.body(this.data as never, this.sagaId, this.results);
    this.check(actual, body, `sends ${command} with the right body`);
    this.sent = undefined;
    this.story.push(`expects ${command}`);
    return this;
  }

  /** The awaited command is answered. Later commands may use the result of a successful step in their bodies. */
  whenReply(outcome: 'succeeded' | 'refused', reason?: string, result?: Record<string, unknown>): this {
    const { step, action } = this.state;
    return this.happens({ type: 'replied', step, action, outcome, reason, result }, 'moves');
  }

  /** A reply arrives for a command that is not awaited, or not any more. It changes nothing. */
  ignoresReply(command: CommandName, outcome: 'succeeded' | 'refused' = 'succeeded'): this {
    const [step, action] = command.split('.') as [string, Sent['action']];
    return this.happens({ type: 'replied', step, action, outcome }, 'ignores');
  }

  /** The participant answers that somebody else has to act first. */
  whenWaiting(until = '2026-03-01T12:00:00Z', whom: Wait['for'] = 'customer'): this {
    const { step, action } = this.state;
    const waiting = { until, for: whom };
    return this.happens({ type: 'replied', step, action, outcome: 'waiting', waiting }, 'moves');
  }

  /** The participant has news of the awaited command. */
  whenHinted(): this {
    return this.happens({ type: 'hinted', step: this.state.step, tenant: '' }, 'moves');
  }

  /** News of a command that is not awaited, or the same news again. */
  ignoresHint(step = this.state.step): this {
    return this.happens({ type: 'hinted', step, tenant: '' }, 'ignores');
  }

  /** No reply comes in time, or a wait is over. */
  whenDeadlinePasses(): this {
    const { step, action, attempt } = this.state;
    return this.happens({ type: 'deadline-passed', step, action, attempt }, 'moves');
  }

  /** No reply comes until the budget of the awaited command is spent. */
  whenNobodyAnswers(): this {
    const budget = budgetOf(this.definition, this.state);
    while (this.state.attempt < budget) this.whenDeadlinePasses().sent = undefined;
    return this.whenDeadlinePasses();
  }

  whenCancelled(reason = 'cancelled_by_client'): this {
    return this.happens({ type: 'cancel-requested', reason }, 'moves');
  }

  ignoresCancel(reason = 'cancelled_by_client'): this {
    return this.happens({ type: 'cancel-requested', reason }, 'ignores');
  }

  /** A person acts on the saga. */
  whenOperator(act: OperatorEvent['act'], reason = 'done by hand'): this {
    return this.happens({ type: 'operator', act, by: 'olga', reason }, 'moves');
  }

  ignoresOperator(act: OperatorEvent['act'], reason = 'done by hand'): this {
    return this.happens({ type: 'operator', act, by: 'olga', reason }, 'ignores');
  }

  /** The saga has stopped, until a late reply or an operator moves it. */
  isParked(): this {
    this.check(this.state.status, 'parked', 'is parked');
    return this;
  }

  /** The end of the story. `cancelRequested` is a wish to cancel that was kept for the end of the saga. */
  endsAs(status: SagaStatus, reason?: string, { cancelRequested = false } = {}): void {
    assert(isFinal(status), `${status} is no end; use isParked for a saga that has stopped`);
    const { status: actual, reason: because, cancelRequested: wish } = this.state;
    this.check(
      { status: actual, reason: because, cancelRequested: wish },
      { status, reason, cancelRequested },
      `ends as ${status}`,
    );
  }

  private happens(event: SagaEvent, effect: 'moves' | 'ignores'): this {
    const what = whatOf(event);
    this.check(this.sent && nameOf(this.sent), undefined, `sends nothing before ${what}`);
    const decision = decide(this.definition, this.state, event);
    const ignored = 'ignored' in decision ? decision.ignored : undefined;
    this.check(
      ignored === undefined ? 'moves' : 'ignores',
      effect,
      `${effect} on ${what}${ignored ? `, ${ignored}` : ''}`,
    );
    this.story.push(what);
    if ('ignored' in decision) return this;
    this.state = decision.state;
    this.sent = decision.send;
    this.results = resultsAfter(this.results, event);
    return this;
  }

  private check(actual: unknown, expected: unknown, claim: string): void {
    const told = this.story.length > 0 ? this.story.join(' → ') : 'the start';
    const saw = JSON.stringify(actual) ?? 'nothing';
    const message = `${this.definition.name} ${claim}: saw ${saw} instead of ${JSON.stringify(expected) ?? 'nothing'} after ${told}`;
    assert.deepStrictEqual(actual, expected, message);
  }
}

const nameOf = ({ step, action }: Sent): CommandName => `${step}.${action}`;

function whatOf(event: SagaEvent): string {
  if (event.type === 'operator') return `operator.${event.act}`;
  return 'action' in event ? `${event.type} ${event.step}.${event.action}` : event.type;
}
