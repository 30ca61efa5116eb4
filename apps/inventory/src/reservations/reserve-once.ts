/** Reserves for clients: one transaction turns a batch of requests into reservations and stored answers. */
import { customerHash } from '@shop/contracts';
import { type Caller, etagOf } from '@shop/http';
import {
  alreadySubmitted,
  type Answer,
  answerWith,
  type Claim,
  fingerprintOf,
  type Ledger,
  naturalKeyOf,
  type Outcome,
  refusalOf,
  reusedAnswer,
  runOnce,
} from '@shop/idempotency';
import { type Database, databaseTime, isUniqueViolation, type Tx } from '@shop/postgres';
import type { Reservation } from '../stock/reservation';
import type { Shelf } from '../stock/shelf';
import { RESERVATION_PRIMARY_KEY } from '../stock/reservation.repository';
import { ComponentsChangedError, loadShelf, saveShelf } from '../stock/shelf.repository';
import {
  customerLimitReached,
  customerRequired,
  DEFAULT_TTL_SECONDS,
  type NewReservationBody,
  reservationIdConflict,
  reservationShort,
} from './reservation-request';
import { reservationJson } from './reservation.view';

export interface ReserveRequest {
  claim: Claim;
  caller: Caller;
  body: NewReservationBody;
  /** The id that the client chose (PUT). */
  id?: string;
}

export interface ReserveOptions {
  database: Database;
  ledger: Ledger;
  /** Told after the commit: in so many milliseconds a reservation that was made here ends. */
  expect: (ms: number) => void;
}

interface State {
  shelf: Shelf;
  /** The time of the transaction, by the clock of the database. */
  now: Date;
  /** The shortest time of a reservation that this batch has made. */
  shortestSeconds: number;
}

export function reserveOnce(
  { database, ledger, expect }: ReserveOptions,
  requests: readonly ReserveRequest[],
): Promise<Outcome[]> {
  return runOnce<State>(
    database,
    ledger,
    requests,
    {
      load: (tx) => load(tx, requests),
      decide: (state, index) => decide(state, requests[index]!),
      save: (tx, { shelf, shortestSeconds }) => {
        saveShelf(tx, shelf);
        if (shortestSeconds < Infinity) tx.afterCommit(() => expect(shortestSeconds * 1_000));
      },
    },
    {
      // Another replica has made it meanwhile, or a bundle has changed. Run again and see it.
      retryOn: (error) => isUniqueViolation(error, RESERVATION_PRIMARY_KEY) || error instanceof ComponentsChangedError,
    },
  );
}

async function load(tx: Tx, requests: readonly ReserveRequest[]): Promise<State> {
  const reservations = requests.map((request) => ({ tenant: request.caller.tenant, id: idOf(request) }));
  const skus = requests.flatMap((request) => {
    const customer = customerOf(request);
    return request.body.lines.map(({ sku }) => ({ tenant: request.caller.tenant, sku, customer }));
  });
  const [shelf, now] = await Promise.all([loadShelf(tx, { reservations, skus }), databaseTime(tx)]);
  return { shelf, now, shortestSeconds: Infinity };
}

function decide(state: State, request: ReserveRequest): Answer {
  const { shelf, now } = state;
  const { claim, caller, body } = request;
  const { tenant, principal: placedBy } = caller;
  const id = idOf(request);
  const before = shelf.find(tenant, id);
  if (before) return answerForRepeat(before, request);
  const ttlSeconds = body.ttlSeconds ?? DEFAULT_TTL_SECONDS;
  const made = shelf.reserve({
    tenant,
    id,
    lines: body.lines,
    customer: customerOf(request),
    expiresAt: new Date(now.getTime() + ttlSeconds * 1_000).toISOString(),
    placedBy,
    requestHash: claim.fingerprint,
  });
  // A PUT uses up no key. A refused PUT may be accepted later, and its id stays free.
  const refuse = (problem: Parameters<typeof refusalOf>[0]): Answer => ({ ...refusalOf(problem), kept: !request.id });
  switch (made.outcome) {
    case 'out_of_stock':
      return refuse(reservationShort(made.short));
    case 'limit_reached':
      return refuse(customerLimitReached(made.limits));
    case 'customer_required':
      return refuse(customerRequired(made.skus));
    case 'reserved':
      state.shortestSeconds = Math.min(state.shortestSeconds, ttlSeconds);
      return createdAnswer(made.reservation, now);
  }
}

/** The reservation was made before: by this request, and the ledger has forgotten it, or by another one. */
function answerForRepeat(before: Reservation, { claim, caller, id }: ReserveRequest): Answer {
  const isSame = before.requestHash?.equals(claim.fingerprint) && before.placedBy === caller.principal;
  if (id) return isSame ? alreadyThere : { ...refusalOf(reservationIdConflict()), kept: false };
  if (!isSame) return reusedAnswer();
  const detail = 'this reservation was made before; the status URL tells what has become of it';
  return refusalOf(alreadySubmitted(`/reservations/${before.id}`, detail));
}

/** For a PUT whose reservation exists. The caller answers it with the reservation as it is now. */
const alreadyThere: Answer = { status: 200, body: '{}' };

function createdAnswer(reservation: Reservation, now: Date): Answer {
  const at = now.toISOString();
  const { id, lines, awaited } = reservation;
  const expiresAt = reservation.expiresAt ?? null;
  const shown = { id, status: 'open', lines, awaited, expiresAt, version: 1, createdAt: at, updatedAt: at } as const;
  return answerWith(201, reservationJson(shown), { location: `/reservations/${id}`, etag: etagOf(1) });
}

/** The claim of a PUT. The id from the client is the key, within its tenant, for every principal of the tenant. */
export function claimOfPut(tenant: string, id: string, body: NewReservationBody): Claim {
  return { scope: `${tenant}||PUT /reservations/:id`, key: id, fingerprint: fingerprintOf(body) };
}

const customerOf = ({ caller: { tenant }, body: { customerId } }: ReserveRequest): string | undefined =>
  customerId === undefined ? undefined : customerHash(tenant, customerId);

const idOf = ({ claim, id }: ReserveRequest): string => id ?? reservationIdOf(naturalKeyOf(claim));

/**
 * The id of a reservation without an id from the client follows from its natural key. So the row is the natural key, and
 * needs no further index. The digits of the version and the variant make it a UUID of our own kind (RFC 9562, 5.8).
 */
export function reservationIdOf(naturalKey: string): string {
  const variant = ((parseInt(naturalKey[16]!, 16) & 0x3) | 0x8).toString(16);
  const parts = [
    naturalKey.slice(0, 8),
    naturalKey.slice(8, 12),
    `8${naturalKey.slice(13, 16)}`,
    `${variant}${naturalKey.slice(17, 20)}`,
    naturalKey.slice(20, 32),
  ];
  return parts.join('-');
}
