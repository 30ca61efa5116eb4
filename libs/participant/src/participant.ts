/**
 * How a service takes part in sagas: it reads each command, claims it in the ledger, decides it, and replies.
 *
 * Commands that arrive together are one batch and one transaction. The ledger finds the new commands. `load` reads and
 * locks their rows. A handler decides each of them in memory. `save` writes the changes together with the replies. Work
 * that makes an outside call is only begun there. It continues as leased work after the commit.
 */
import {
  type Answer,
  type CallOutside,
  fingerprintOf,
  type Idempotency,
  type Leased,
  type LeasedRun,
  type Outcome,
  runOnce,
} from '@shop/idempotency';
import {
  bodyOf,
  type Delivery,
  MAILBOX_LANE,
  type Message,
  Replies,
  type Reply,
  replyTo,
  tenantOf,
} from '@shop/messaging';
import { counter, currentSpan } from '@shop/observability';
import { type Database, Lane, type Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { type Command, type Handler, refused, refusedInDoubt } from './on';
import { answerOf, replyOf } from './stored-reply';

/** The commands of a service, and how the rows that they need are loaded and saved. */
export interface CommandSet<State> {
  handlers: readonly Handler<State>[];
  /** Reads the rows that these commands need, and locks them in key order. */
  load: (tx: Tx, commands: readonly Command[]) => Promise<State>;
  /** Sends the changes of the handlers. */
  save: (tx: Tx, state: State) => void;
  /** The state in which nothing is known about any command; see `BatchSteps.blank`. */
  blank?: () => State;
  /** More failures that mean a lost race. */
  retryOn?: (error: unknown) => boolean;
  /** The work that makes outside calls, by the name that the decision of a handler gives. */
  calls?: Record<string, LeasedRun<never>>;
}

/** A command that could be read, with its handler. */
interface Asked<State> {
  command: Command;
  handler: Handler<State>;
  /** Batches take from the tenants in turn. */
  tenant: string;
  fingerprint: Buffer;
  /** The id of the command that it undoes. */
  undoes?: string;
  /** The `traceparent` that its work goes on in. */
  trace?: string;
}

/**
 * First, left work is finished, and then the command itself is handled. More rounds would mean that somebody else takes
 * the lease again and again.
 */
const MAX_ROUNDS = 3;
const WAIT_MS = 1_000;

const repeatsDropped = counter(
  'participant_repeats_dropped_total',
  'Commands that came again while this process was working on them',
);

export class Participant<State = unknown> {
  private readonly lane: Lane<Asked<State>, Outcome | Leased>;
  /** The ids of the commands that this process works on. */
  private readonly inWork = new Set<string>();
  private readonly handlers: ReadonlyMap<string, Handler<State>>;

  /** @param service its name: the source of its replies, and the scope of its commands in the ledger */
  constructor(
    private readonly service: string,
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly commands: CommandSet<State>,
  ) {
    this.handlers = new Map(commands.handlers.map((handler) => [handler.command.type, handler]));
    for (const [name, run] of Object.entries(commands.calls ?? {})) idempotency.works.define(name, run);
    this.lane = new Lane({
      ...MAILBOX_LANE,
      name: 'commands',
      turnOf: ({ tenant }) => tenant,
      run: (batch) => this.decideBatch(batch),
    });
  }

  /** Takes the deliveries of the mailbox of the service. */
  take(deliveries: readonly Delivery[]): Replies {
    return Replies.each(deliveries, (delivery) => this.answer(delivery));
  }

  /**
   * A command that this process works on is answered when the work is done. Its repeats would only wait for that, and
   * keep others out of the mailbox. So they are dropped: the saga repeats it again if the answer is lost.
   */
  private async answer({ message, suspect }: Delivery): Promise<Message | undefined> {
    const { id } = message;
    if (this.inWork.has(id) && !suspect) {
      repeatsDropped.inc();
      return undefined;
    }
    this.inWork.add(id);
    try {
      return replyTo(message, this.service, await this.perform(message, { alone: suspect }));
    } finally {
      this.inWork.delete(id);
    }
  }

  /** @throws RetryableError while the outcome is unknown, or somebody else works on it */
  async perform(message: Message, options: { alone?: boolean } = {}): Promise<Reply> {
    const asked = this.read(message);
    if ('outcome' in asked) return asked;
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const reply = await this.attempt(asked, options);
      if (reply) return reply;
    }
    throw new RetryableError(`${message.id} could not be settled`, { retryAfterMs: WAIT_MS });
  }

  /** Returns undefined when left work has been finished and the command has to be attempted again. */
  private async attempt(asked: Asked<State>, options: { alone?: boolean }): Promise<Reply | undefined> {
    const { works } = this.idempotency;
    const settled = await this.lane.submit(asked, options);
    const outcome = settled.kind === 'begun' ? await works.carryOut(settled) : settled;
    switch (outcome.kind) {
      case 'fresh':
      case 'replayed':
        return replyOf(outcome.answer);
      case 'reused':
      case 'erased':
        return refusedInDoubt('command_id_reused');
      case 'in-use':
        if (!outcome.left) {
          // Whoever works on the do knows that it is undone, and ends soon. An undo should not come much later.
          const retryAfterMs = outcome.waitsForDo ? WAIT_MS : works.leaseMs / 2;
          throw new RetryableError(`${asked.command.id} is being worked on`, { retryAfterMs });
        }
        await works.resume(outcome.left);
        return undefined;
    }
  }

  /** Refuses a command that we do not know or cannot read, so that its saga turns back and does not wait for ever. */
  private read(message: Message): Asked<State> | Reply {
    const { id, type, data } = message;
    const handler = this.handlers.get(type);
    if (!handler) return refusedInDoubt('unknown_command');
    const body = bodyOf(handler.command, message);
    if (!body.ok) return refusedInDoubt('malformed_command');
    const undoes = handler.undoes?.(body.value) ?? message.undoes;
    const tenant = tenantOf(message) ?? '';
    const trace = currentSpan()?.traceparent;
    return {
      command: { id, type, body: body.value },
      handler,
      tenant,
      fingerprint: fingerprintOf(data),
      undoes,
      trace,
    };
  }

  private decideBatch(batch: readonly Asked<State>[]): Promise<(Outcome | Leased)[]> {
    const { commands } = this;
    const asked = batch.map(({ command }) => command);
    return runOnce<State, Answer | CallOutside>(
      this.database,
      this.idempotency.ledger,
      batch.map((one) => this.workOf(one)),
      {
        load: (tx) => commands.load(tx, asked),
        decide: (state, index) => {
          const { handler, command } = batch[index]!;
          const decision = handler.decide(state, command);
          return 'leased' in decision ? decision : answerOf(decision);
        },
        save: (tx, state) => commands.save(tx, state),
        blank: commands.blank && (() => commands.blank!()),
      },
      { retryOn: (error) => commands.retryOn?.(error) ?? false, leaseMs: this.idempotency.works.leaseMs },
    );
  }

  private workOf({ command: { id }, fingerprint, undoes, trace }: Asked<State>) {
    const claim = { scope: this.service, key: id, fingerprint, trace };
    return undoes === undefined ? { claim } : { claim, barrier: { key: undoes, refusal: answerOf(refused('undone')) } };
  }
}
