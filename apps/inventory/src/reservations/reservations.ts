/** Carries out a batch of commands on reservations: load or presume, decide, save, in one transaction with the ledger. */
import {
  ConfirmReservation,
  ReleaseStock,
  type ReservationBody,
  ReserveStock,
  type ReserveStockBody,
  RestockReservation,
} from '@shop/contracts';
import { type Answer, fingerprintOf, type Ledger, type Outcome, runOnce, type Work } from '@shop/idempotency';
import { bodyOf, type CommandType, type Message, type Reply } from '@shop/messaging';
import type { Database } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import type { Shelf } from '../stock/stock';
import { isPresumedWrongly, saveShelf } from '../stock/stock.repository';
import type { InventoryMemory } from './inventory-memory';
import { loadShelf, presumeShelf } from './load-shelf';

/** The scope of every command in this service's ledger. */
const SCOPE = 'inventory';

type Verb = (shelf: Shelf, body: ReservationBody) => Reply;

const succeeded = (result?: Record<string, unknown>): Reply => ({ outcome: 'succeeded', result });
const refused = (reason: string): Reply => ({ outcome: 'refused', reason });

const verbs = new Map<string, { command: CommandType<ReservationBody>; verb: Verb }>([
  entry(ReserveStock, (shelf, body) => {
    const { tenant, reservationId, lines } = body as ReserveStockBody;
    const made = shelf.reserve(tenant, reservationId, lines);
    return made === 'reserved' ? succeeded() : refused(made);
  }),
  entry(ReleaseStock, (shelf, { tenant, reservationId }) =>
    succeeded({ result: shelf.release(tenant, reservationId) }),
  ),
  entry(ConfirmReservation, (shelf, { tenant, reservationId }) => {
    const made = shelf.confirm(tenant, reservationId);
    return made === 'confirmed' ? succeeded() : refused(made);
  }),
  entry(RestockReservation, (shelf, { tenant, reservationId }) =>
    succeeded({ result: shelf.restock(tenant, reservationId) }),
  ),
]);

export interface Inventory {
  database: Database;
  ledger: Ledger;
  memory: InventoryMemory;
}

/** Answers the reply to each command, in order. */
export async function carryOut(inventory: Inventory, commands: readonly Message[]): Promise<Reply[]> {
  const { database, ledger, memory } = inventory;
  const parsed = commands.map(parse);
  const asked = parsed.flatMap(({ type, body }) => (body ? [{ type, body }] : []));
  let shelf: Shelf | undefined;
  const outcomes = await runOnce<Shelf>(
    database,
    ledger,
    commands.map((command) => workOf(command, memory)),
    {
      load: async (tx, presume) => (shelf = await (presume ? presumeShelf(tx, asked, memory) : loadShelf(tx, asked))),
      decide: (onShelf, index) => answerOf(parsed[index]!.perform(onShelf)),
      save: saveShelf,
    },
    isPresumedWrongly,
  );
  // One that waited too long for another one's key was rolled back.
  if (shelf && outcomes.some(({ kind }) => kind === 'fresh')) memory.learn(shelf);
  return outcomes.map(replyOf);
}

function entry(command: CommandType<ReservationBody>, verb: Verb) {
  return [command.type, { command, verb }] as const;
}

interface Parsed {
  type: string;
  body?: ReservationBody;
  perform: (shelf: Shelf) => Reply;
}

/** A command that we do not know or cannot read is refused, so that its saga turns back instead of waiting for ever. */
function parse(message: Message): Parsed {
  const { type } = message;
  const known = verbs.get(type);
  if (!known) return { type, perform: () => refused('unknown_command') };
  const body = bodyOf(known.command, message);
  if (!body.ok) return { type, perform: () => refused('malformed_command') };
  return { type, body: body.value, perform: (shelf) => known.verb(shelf, body.value) };
}

function workOf({ id, undoes, data }: Message, { commands }: InventoryMemory): Work {
  const claim = { scope: SCOPE, key: id, fingerprint: fingerprintOf(data) };
  const isNew = commands.isNew(claim);
  // An undo must know what became of its do.
  if (undoes === undefined) return { claim, seemsNew: isNew };
  return { claim, barrier: { key: undoes, refusal: answerOf(refused('undone')) } };
}

function answerOf(reply: Reply): Answer {
  return { status: reply.outcome === 'succeeded' ? 200 : 409, body: JSON.stringify(reply) };
}

function replyOf(outcome: Outcome): Reply {
  switch (outcome.kind) {
    case 'fresh':
    case 'replayed':
      return JSON.parse(outcome.answer.body) as Reply;
    case 'reused':
    case 'erased':
      // What the first command with this id did is not told by it.
      return { outcome: 'refused', reason: 'command_id_reused', inDoubt: true };
    case 'in-use':
      throw new RetryableError('another replica holds what this command needs');
  }
}
