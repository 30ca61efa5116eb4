/** Carries out a batch of commands on reservations: load, decide, save, in one transaction with the ledger. */
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
import { type Database, isUniqueViolation, type Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { Shelf } from '../stock/stock';
import { lockReservations, lockStockFor, RESERVATION_PRIMARY_KEY, saveShelf } from '../stock/stock.repository';

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

/** Answers the reply to each command, in order. */
export async function carryOut(
  { database, ledger }: { database: Database; ledger: Ledger },
  commands: readonly Message[],
): Promise<Reply[]> {
  const parsed = commands.map(parse);
  const outcomes = await runOnce<Shelf>(
    database,
    ledger,
    commands.map(workOf),
    {
      load: (tx) =>
        load(
          tx,
          parsed.flatMap(({ body }) => body ?? []),
        ),
      decide: (shelf, index) => answerOf(parsed[index]!.perform(shelf)),
      save: saveShelf,
    },
    // Another replica has made the same reservation meanwhile: run again and see it.
    (error) => isUniqueViolation(error, RESERVATION_PRIMARY_KEY),
  );
  return outcomes.map(replyOf);
}

function entry(command: CommandType<ReservationBody>, verb: Verb) {
  return [command.type, { command, verb }] as const;
}

interface Parsed {
  body?: ReservationBody;
  perform: (shelf: Shelf) => Reply;
}

/** A command that we do not know or cannot read is refused, so that its saga turns back instead of waiting for ever. */
function parse(message: Message): Parsed {
  const known = verbs.get(message.type);
  if (!known) return { perform: () => refused('unknown_command') };
  const body = bodyOf(known.command, message);
  if (!body.ok) return { perform: () => refused('malformed_command') };
  return { body: body.value, perform: (shelf) => known.verb(shelf, body.value) };
}

function workOf({ id, undoes, data }: Message): Work {
  const barrier = undoes === undefined ? undefined : { key: undoes, refusal: answerOf(refused('undone')) };
  return { claim: { scope: SCOPE, key: id, fingerprint: fingerprintOf(data) }, barrier };
}

/** In one trip: the stock rows of the lines of these reservations, and of the lines that are asked for. */
async function load(tx: Tx, bodies: readonly ReservationBody[]): Promise<Shelf> {
  const ids = bodies.map(({ reservationId }) => reservationId);
  const wanted = bodies.flatMap((body) =>
    'lines' in body ? (body as ReserveStockBody).lines.map(({ sku }) => ({ tenant: body.tenant, sku })) : [],
  );
  const [reservations, stock] = await Promise.all([lockReservations(tx, ids), lockStockFor(tx, wanted, ids)]);
  return new Shelf(stock, reservations);
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
