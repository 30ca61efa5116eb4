/**
 * How a service takes part in sagas: it reads each command, claims it in the ledger, decides it, and replies.
 *
 * Commands that arrive together are one batch and one transaction: the ledger says which of them are new, `load` reads and
 * locks what they touch, a handler decides each of them in memory, and `save` writes what has changed, together with the
 * replies. What calls outside is only begun there, and goes on as leased work behind the commit.
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
import { bodyOf, type Delivery, MAILBOX_LANE, type Message, Replies, type Reply, replyTo } from '@shop/messaging';
import { type Database, Lane, type Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { type Command, type Handler, refused, refusedInDoubt } from './on';
import { answerOf, replyOf } from './stored-reply';

/** What a service can be asked to do, and the rows that it works on. */
export interface CommandSet<State> {
  handlers: readonly Handler<State>[];
  /** Reads, and locks in key order, what these commands touch. */
  load: (tx: Tx, commands: readonly Command[]) => Promise<State>;
  /** Sends what the handlers have changed. */
  save: (tx: Tx, state: State) => void;
  /** The state in which nothing is known of any command; see `BatchSteps.blank`. */
  blank?: () => State;
  /** Further failures that mean a lost race. */
  retryOn?: (error: unknown) => boolean;
  /** The work that goes on outside, by the name that a handler's decision gives. */
  calls?: Record<string, LeasedRun<never>>;
}

/** A command that could be read, with the code for it. */
interface Asked<State> {
  command: Command;
  handler: Handler<State>;
  fingerprint: Buffer;
  /** The id of the command that it undoes. */
  undoes?: string;
}

/** Something that was left is finished, then the command itself; more rounds would mean that somebody keeps taking the lease. */
const MAX_ROUNDS = 3;
/** Who waits for somebody else's work looks again after this; the other may have died with it. */
const WAIT_MS = 1_000;

export class Participant<State = unknown> {
  private readonly lane: Lane<Asked<State>, Outcome | Leased>;
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
    this.lane = new Lane({ ...MAILBOX_LANE, run: (batch) => this.decideBatch(batch) });
  }

  /** Takes the deliveries of the service's mailbox. */
  take(deliveries: readonly Delivery[]): Replies {
    return new Replies(
      deliveries.map(async ({ message, suspect }) =>
        replyTo(message, this.service, await this.perform(message, { alone: suspect })),
      ),
    );
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

  /** Answers nothing when something that was left has been finished, and the command is to be tried again. */
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
          throw new RetryableError(`${asked.command.id} is being worked on`, { retryAfterMs: WAIT_MS });
        }
        await works.resume(outcome.left);
        return undefined;
    }
  }

  /** A command that we do not know or cannot read is refused, so that its saga turns back instead of waiting for ever. */
  private read(message: Message): Asked<State> | Reply {
    const { id, type, data } = message;
    const handler = this.handlers.get(type);
    if (!handler) return refusedInDoubt('unknown_command');
    const body = bodyOf(handler.command, message);
    if (!body.ok) return refusedInDoubt('malformed_command');
    const undoes = handler.undoes?.(body.value) ?? message.undoes;
    return { command: { id, type, body: body.value }, handler, fingerprint: fingerprintOf(data), undoes };
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

  private workOf({ command: { id }, fingerprint, undoes }: Asked<State>) {
    const claim = { scope: this.service, key: id, fingerprint };
    return undoes === undefined ? { claim } : { claim, barrier: { key: undoes, refusal: answerOf(refused('undone')) } };
  }
}
