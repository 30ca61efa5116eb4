/** What must be true when all work has ended, each rule by its name. */
import { auditAfter } from './audit-after';
import { auditHolds, holdsEnd } from './audit-holds';
import { chargesHaveOrders, moneyFollowsOrders, noChargeIsMadeByAnUndo, nothingIsLeftOpen } from './audit-money';
import {
  cartsAreOrderedOnce,
  confirmedOrdersHaveTheirPieces,
  eachStepIsTakenOnce,
  eachTakenReservationHasOneTaker,
  givenBackStaysGivenBack,
  usesAreCounted,
  usesFollowOrders,
} from './audit-steps';
import { limitsHold, nothingIsHeldForNobody, nothingIsOverdone, placesAddUp, stockIsConserved } from './audit-stock';
import { keepersAreAnswered, repeatsGetTheFirstAnswer } from './audit-answers';
import type { Client } from './client';
import type { HoldWitness } from './hold-witness';
import type { Keeper } from './keeper';
import type { EntryRecord, OrderRecord, Records, SagaRecord } from './records';
import type { Script } from './script';
import type { SimulatedCarrier } from './simulated-carrier';
import type { SimulatedPost } from './simulated-post';
import type { SimulatedProvider } from './simulated-provider';
import type { Witness } from './witness';

export interface Audited {
  script: Script;
  clients: readonly Client[];
  keepers: readonly Keeper[];
  provider: SimulatedProvider;
  witness: Witness;
  holds: HoldWitness;
  carrier: SimulatedCarrier;
  post: SimulatedPost;
}

/** Sentences. Each begins with the name of the rule that does not hold. */
export function audit(
  { script, clients, keepers, provider, witness, holds, carrier, post }: Audited,
  records: Records,
): string[] {
  const parked = parkedOrders(records, provider);
  return [
    ...clients.flatMap((client) => repeatsGetTheFirstAnswer(client, records)),
    ...keepers.flatMap(keepersAreAnswered),
    ...records.orders.flatMap((order) => (parked.has(order.id) ? [] : ordersFollowTheirSagas(order, records))),
    ...records.sagas.flatMap(historiesAreWhole),
    ...clients.flatMap((client) => cancelledStaysCancelled(client, records, parked)),
    ...records.orders.flatMap((order) =>
      parked.has(order.id) ? [] : moneyFollowsOrders(order, records, provider.books),
    ),
    ...stockIsConserved(script, records, parked),
    ...nothingIsHeldForNobody(records, parked),
    ...placesAddUp(records),
    ...limitsHold(records),
    ...auditAtAnyTime(records, holds),
    ...holdsEnd(holds),
    ...clients.flatMap((client) => givenBackStaysGivenBack(client, records)),
    ...confirmedOrdersHaveTheirPieces(records),
    ...usesAreCounted(records),
    ...records.orders.flatMap((order) => (parked.has(order.id) ? [] : usesFollowOrders(order, records))),
    ...cartsAreOrderedOnce(records),
    ...records.sagas.flatMap(({ id }) => barriersHold(id, records.entries)),
    ...records.entries.flatMap((entry) => noWorkIsLeftPending(entry, parked, records.orders)),
    ...nothingIsLeftOpen(records, provider.books),
    ...noChargeIsMadeByAnUndo(witness),
    ...chargesHaveOrders(records, provider.books),
    ...(script.after ? auditAfter({ after: script.after, carrier, post }, records, parked) : []),
  ];
}

/** What must be true also while work goes on. */
export function auditAtAnyTime(records: Records, holds: HoldWitness): string[] {
  return [
    ...nothingIsOverdone(records),
    ...eachStepIsTakenOnce(records),
    ...eachTakenReservationHasOneTaker(records),
    ...auditHolds(holds),
  ];
}

/** Here a saga may be parked for one reason only: the provider refused to give the money back. A person has to act. */
function parkedOrders({ orders, sagas }: Records, { refusedRefunds, books }: SimulatedProvider): Set<string> {
  const references = [...books.intents.values()].filter(
    ({ intent }) => intent.status === 'succeeded' && refusedRefunds.has(intent.reference),
  );
  const parked = new Set(sagas.filter(({ status }) => status === 'parked').map(({ id }) => id));
  return new Set(
    orders
      .filter(({ saga_id, cancel_saga_id }) => parked.has(saga_id) || (cancel_saga_id && parked.has(cancel_saga_id)))
      .filter(({ saga_id }) => references.some(({ idempotencyKey }) => idempotencyKey.startsWith(`${saga_id}/`)))
      .map(({ id }) => id),
  );
}

function ordersFollowTheirSagas({ id, status, saga_id, cancel_saga_id }: OrderRecord, { sagas }: Records): string[] {
  const placing = sagas.find((saga) => saga.id === saga_id)?.status;
  const cancelling = sagas.find((saga) => saga.id === cancel_saga_id)?.status;
  const expected =
    placing === 'compensated' || (placing === 'completed' && cancelling === 'completed')
      ? 'cancelled'
      : placing === 'completed' && (!cancel_saga_id || cancelling === 'compensated')
        ? 'confirmed'
        : undefined;
  if (expected === undefined) return [`sagas end: order ${id} has ${placing} and ${cancelling ?? 'no other'}`];
  return status === expected ? [] : [`orders follow their sagas: ${id} is ${status} instead of ${expected}`];
}

function historiesAreWhole({ id, version, history }: SagaRecord): string[] {
  const whole = history.every(
    ({ seq, from_position }, index) =>
      seq === index + 1 && from_position === (index === 0 ? 'new' : history[index - 1]!.to_position),
  );
  if (whole && history.length === version) return [];
  const path = history.map(({ seq, from_position, to_position }) => `${seq} ${from_position} → ${to_position}`);
  return [`histories are whole: ${id} at version ${version} has ${path.join(', ')}`];
}

function cancelledStaysCancelled(client: Client, { orders }: Records, parked: ReadonlySet<string>): string[] {
  const order = orders.find(({ id }) => id === client.orderId);
  if (!client.cancelled || !order || parked.has(order.id) || order.status === 'cancelled') return [];
  // Then other rules look at it.
  if (order.cancellation_refused !== null) return [];
  return [`cancelled stays cancelled: ${order.id} is ${order.status}`];
}

/** For a parked order the refund may be pending: an operator will ask for it again. */
function noWorkIsLeftPending(
  { key, status }: EntryRecord,
  parked: ReadonlySet<string>,
  orders: OrderRecord[],
): string[] {
  const order = orders.find(({ saga_id, cancel_saga_id }) => [saga_id, cancel_saga_id].includes(key.split('/')[0]!));
  if (status !== 'pending' || (order && parked.has(order.id))) return [];
  return [`no work is left pending: ${key}`];
}

/** When an undo has its reply, its do cannot be carried out any more, because each do has an entry. */
function barriersHold(sagaId: string, entries: readonly EntryRecord[]): string[] {
  return ['reserve', 'charge'].flatMap((step) => {
    const has = (action: string) => entries.some(({ key }) => key === `${sagaId}/${step}/${action}`);
    return has('undo') && !has('do') ? [`barriers hold: ${sagaId}/${step} was undone and may still be done`] : [];
  });
}
