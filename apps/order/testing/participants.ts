/** Replaces inventory, payment and fulfilment: takes every command, and answers those of a saga as the test says. */
import { jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type Message, type Reply, replyTo } from '@shop/messaging';

/** The replies to `<step>/<action>`. Other commands get no reply. */
export type Script = Record<string, Reply>;

export const succeeded: Reply = { outcome: 'succeeded' };
export const refused = (reason: string): Reply => ({ outcome: 'refused', reason });
/** For the saga that cancels a confirmed order. */
export const allTakenBack: Script = { 'stop-delivery/do': succeeded, 'refund/do': succeeded, 'restock/do': succeeded };
export const allSucceed: Script = { 'reserve/do': succeeded, 'charge/do': succeeded, 'confirm/do': succeeded };

export class Participants {
  private readonly heard: Message[] = [];
  private readonly scripts = new Map<string, Script>();

  private constructor(private readonly nats: NatsConnection) {}

  static async join(natsUrl: string): Promise<Participants> {
    const nats = await connect({ servers: natsUrl });
    // This subscription makes the broker accept a message without a stream. A publisher would then wait for an
    // acknowledgement that never comes, so there has to be a stream.
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: 'COMMANDS', subjects: ['cmd.>'], retention: RetentionPolicy.Workqueue });
    const participants = new Participants(nats);
    nats.subscribe('cmd.>', {
      callback: (_, message) => message.json<Message[]>().forEach((command) => void participants.take(command)),
    });
    await nats.flush();
    return participants;
  }

  /** Answers the commands of this saga from now on, including those that have come already. */
  async play(sagaId: string, script: Script): Promise<void> {
    this.scripts.set(sagaId, script);
    await Promise.all(this.heard.filter(({ subject }) => subject === sagaId).map((command) => this.answer(command)));
  }

  /** Answers the commands of this saga so from now on, and not those that have come already. */
  change(sagaId: string, script: Script): void {
    this.scripts.set(sagaId, script);
  }

  /** Publishes what payment tells of a charge, or fulfilment of a delivery, in bytes or as an event. */
  async tell(event: Message | string, service = 'payment'): Promise<void> {
    const payload = typeof event === 'string' ? event : JSON.stringify([event]);
    await jetstream(this.nats).publish(`evt.${service}.batch`, payload);
  }

  /** The sagas that have sent a command. */
  get sagaIds(): string[] {
    return [...new Set(this.heard.map(({ subject }) => subject))];
  }

  /** The commands of this saga as `<step>/<action>`, each once. */
  commandsOf(sagaId: string): string[] {
    const own = this.heard.filter(({ subject }) => subject === sagaId);
    return [...new Set(own.map(actionOf))];
  }

  /** The number of times that this saga has sent this command. */
  timesSent(sagaId: string, action: string): number {
    return this.heard.filter((command) => command.subject === sagaId && actionOf(command) === action).length;
  }

  bodyOf(sagaId: string, action: string): unknown {
    return this.bodiesOf(sagaId, action)[0];
  }

  /** Of each time that the command was sent. */
  bodiesOf(sagaId: string, action: string): unknown[] {
    const sent = this.heard.filter((command) => command.subject === sagaId && actionOf(command) === action);
    return sent.map(({ data }) => data);
  }

  /** Sends a reply to a command that may never have been sent. */
  async reply(sagaId: string, action: string, reply: Reply): Promise<void> {
    const command = { id: `${sagaId}/${action}`, type: 'any', subject: sagaId } as Message;
    await this.send('reply.order', replyTo(command, participantAskedFor(action), reply));
  }

  async leave(): Promise<void> {
    await this.nats.close();
  }

  private async take(command: Message): Promise<void> {
    this.heard.push(command);
    await this.answer(command);
  }

  private async answer(command: Message): Promise<void> {
    const reply = this.scripts.get(command.subject)?.[actionOf(command)];
    if (reply) await this.send(command.replyto!, replyTo(command, participantOf(command), reply));
  }

  private async send(mailbox: string, message: Message): Promise<void> {
    await jetstream(this.nats).publish(`${mailbox}.batch`, JSON.stringify([message]));
  }
}

/** Who carries out `<step>/<action>`. */
export function participantAskedFor(action: string): string {
  if (action.startsWith('stop-delivery/')) return 'fulfilment';
  return /^(charge|refund)\//.test(action) ? 'payment' : 'inventory';
}

/** Its name is the first part of the type of its commands. */
const participantOf = ({ type }: Message): string => type.split('.', 1)[0]!;

const actionOf = ({ id, subject }: Message): string => id.slice(subject.length + 1);
