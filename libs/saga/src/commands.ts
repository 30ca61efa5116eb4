/** The messages that a saga's steps send. */
import { type Message, newMessage, replyMailbox } from '@shop/messaging';
import { commandId } from './command-id';
import { type SagaDefinition, stepOf } from './definition';
import type { Decided } from './saga-state';
import type { SagaRow } from './saga.repository';

export interface Command {
  mailbox: string;
  message: Message;
}

export class Commands {
  private readonly replyTo: string;

  /** `replica` is this process. A participant may send its reply directly to it. */
  constructor(
    private readonly service: string,
    private readonly replica: string | undefined,
  ) {
    this.replyTo = replyMailbox(service);
  }

  of(definition: SagaDefinition<never>, saga: SagaRow, send: NonNullable<Decided['send']>): Command {
    const { command } = stepOf(definition, send.step)[send.action]!;
    const message = newMessage({
      id: commandId(saga.id, send.step, send.action, saga.state.correction?.revision),
      type: command.type,
      source: this.service,
      subject: saga.id,
      replyto: this.replyTo,
      // From the second attempt on, the reply goes to the durable mailbox. Deliveries are counted there, also when a
      // reply is lost or kills its receiver.
      replica: send.attempt === 1 ? this.replica : undefined,
      undoes: send.action === 'undo' ? commandId(saga.id, send.step, 'do') : undefined,
      traceparent: saga.traceparent,
      data: bodyOf(definition, saga, send),
    });
    return { mailbox: command.mailbox, message };
  }
}

/** The corrected body, or the one that the definition makes. */
export function bodyOf(
  definition: SagaDefinition<never>,
  { id, state, data, results }: SagaRow,
  { step, action }: Pick<SagaRow['state'], 'step' | 'action'>,
): object {
  return state.correction?.body ?? stepOf(definition, step)[action]!.body(data as never, id, results);
}
