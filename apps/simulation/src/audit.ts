/** What must be true when all work has ended, each rule by its name. */
import { chargesHaveOrders, moneyFollowsOrders, noChargeIsMadeByAnUndo, nothingIsLeftOpen } from './audit-money';
import type { Client } from './client';
import type { EntryRecord, OrderRecord, Records, SagaRecord } from './records';
import type { Script } from './script';
import type { SimulatedProvider } from './simulated-provider';
import type { Witness } from './witness';

export interface Audited {
  script: Script;
  clients: readonly Client[];
  provider: SimulatedProvider;
  witness: Witness;
}

/** Sentences. Each begins with the name of the rule that does not hold. */
export function audit({ script, clients, provider, witness }: Audited, records: Records): string[] {
  const parked = parkedOrders(records, provider);
  return [
    ...clients.flatMap((client) => repeatsGetTheFirstAnswer(client, records)),
    ...records.orders.flatMap((order) => (parked.has(order.id) ? [] : ordersFollowTheirSagas(order, records))),
    ...records.sagas.flatMap(historiesAreWhole),
    ...clients.flatMap((client) => cancelledStaysCancelled(client, records, parked)),
    ...records.orders.flatMap((order) =>
      parked.has(order.id) ? [] : moneyFollowsOrders(order, records, provider.books),
    ),
    ...stockIsConserved(script, records),
    ...records.sagas.flatMap(({ id }) => barriersHold(id, records.entries)),
    ...records.entries.flatMap((entry) => noWorkIsLeftPending(entry, parked, records.orders)),
    ...nothingIsLeftOpen(records, provider.books),
    ...noChargeIsMadeByAnUndo(witness),
    ...chargesHaveOrders(records, provider.books),
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

function repeatsGetTheFirstAnswer({ answers, purchase: { name } }: Client, { orders }: Records): string[] {
  const placed = orders.filter(({ customer_id }) => customer_id === name);
  if (placed.length !== 1) return [`one key is one order: ${name} has ${placed.length}`];
  const other = answers.find((answer) => answer !== answers[0]);
  return other === undefined ? [] : [`repeats get the first answer: ${name} was told ${answers[0]}, then ${other}`];
}

function ordersFollowTheirSagas({ id, status, saga_id, cancel_saga_id }: OrderRecord, { sagas }: Records): string[] {
  const placing = sagas.find((saga) => saga.id === saga_id)?.status;
  const cancelling = sagas.find((saga) => saga.id === cancel_saga_id)?.status;
  const expected =
    placing === 'compensated' || (placing === 'completed' && cancelling === 'completed')
      ? 'cancelled'
      : placing === 'completed' && !cancel_saga_id
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
  return [`cancelled stays cancelled: ${order.id} is ${order.status}`];
}

function stockIsConserved({ stock: initial }: Script, { stock, orders }: Records): string[] {
  return stock.flatMap(({ sku, on_hand, reserved, moved, held }) => {
    const items = orders.filter(({ status }) => status === 'confirmed').flatMap((order) => order.items);
    const sold = items.filter((item) => item.sku === sku).reduce((sum, { quantity }) => sum + quantity, 0);
    const restocking = orders.some(({ status }) => status === 'cancelling');
    const faults: string[] = [];
    if (reserved !== held || (held > 0 && !restocking))
      faults.push(`nothing stays reserved: ${reserved} of ${sku}, ${held} held`);
    if (on_hand !== moved) faults.push(`movements explain the stock: ${on_hand} of ${sku}, ${moved} by movements`);
    if (!restocking && on_hand + sold !== initial[sku]) {
      faults.push(`stock is conserved: ${on_hand} of ${sku} on hand and ${sold} sold, of ${initial[sku]}`);
    }
    return faults;
  });
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
