/** What follows orders, in the books: mails, points and parcels must agree with the orders, with the carrier, and with who got mail. */
import type { ApiClient } from './api-client';

export interface FollowedOrder {
  id: string;
  customerId: string;
  status: string;
  /** Absent when it never was. */
  confirmedAt?: string;
  total: { amount: number; currency: string };
}

interface Delivery {
  id: string;
  orderId: string;
  status: string;
}

interface Shipment {
  reference: string;
  status: string;
}

interface Notification {
  id: string;
  orderId: string;
  template: string;
  status: string;
}

interface PointEntry {
  orderId: string;
  points: number;
}

interface Mail {
  messageId: string;
}

export interface AfterBooks {
  deliveries: Delivery[];
  shipments: Shipment[];
  notifications: Notification[];
  /** Of the customers whose orders still name them. */
  entries: PointEntry[];
  balances: { customerId: string; balance: number; entries: PointEntry[] }[];
  mails: Mail[];
}

interface Sources {
  fulfilment: ApiClient;
  sandbox: ApiClient;
  /** The same service for other tenants, whose parcels the carrier has too. */
  neighbours?: readonly ApiClient[];
}

/** Longer than the sender of mails and the carrier's worker take for all orders of a test. */
const SETTLE_TIMEOUT_MS = 90_000;
const LOOK_MS = 500;
/** What stands in place of a customer who was erased. */
const ERASED = 'erased';

/** Waits until nothing is to be done any more, for some time, and returns a sentence for each thing that does not agree. */
export async function auditAfter(orders: readonly FollowedOrder[], sources: Sources): Promise<string[]> {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS;
  for (;;) {
    const faults = faultsAfter(orders, await readAfter(orders, sources));
    if (faults.length === 0 || performance.now() >= deadline) return faults;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function readAfter(orders: readonly FollowedOrder[], sources: Sources): Promise<AfterBooks> {
  const { fulfilment, sandbox, neighbours = [] } = sources;
  const customers = [...new Set(orders.map(({ customerId }) => customerId))].filter((id) => id !== ERASED);
  const balances: AfterBooks['balances'] = [];
  for (const customerId of customers) {
    const { status, body, text } = await fulfilment.get<{ balance: number }>(`/customers/${customerId}/points`);
    if (status !== 200) throw new Error(`the points of a customer were answered by ${status}: ${text}`);
    const entries = await fulfilment.all<PointEntry>(`/customers/${customerId}/points`);
    balances.push({ customerId, balance: body.balance, entries });
  }
  const { shipments } = (await sandbox.get<{ shipments: Shipment[] }>('/admin/shipments')).body;
  const theirs = await Promise.all(neighbours.map((neighbour) => neighbour.all<Delivery>('/deliveries')));
  const isTheirs = new Set(theirs.flat().map(({ id }) => id));
  return {
    deliveries: await fulfilment.all<Delivery>('/deliveries'),
    shipments: shipments.filter(({ reference }) => !isTheirs.has(reference)),
    notifications: await fulfilment.all<Notification>('/notifications'),
    entries: balances.flatMap(({ entries }) => entries),
    balances,
    mails: (await sandbox.get<{ mails: Mail[] }>('/admin/mails')).body.mails,
  };
}

/** Pure, so that a test can show each fault. */
export function faultsAfter(orders: readonly FollowedOrder[], books: AfterBooks): string[] {
  const known = new Set(orders.map(({ id }) => id));
  const of = <T extends { orderId: string }>(things: readonly T[]) => grouped(things, ({ orderId }) => orderId);
  const [deliveries, notifications, entries] = [of(books.deliveries), of(books.notifications), of(books.entries)];
  const shipments = grouped(books.shipments, ({ reference }) => reference);
  return [
    ...orders.flatMap((order) => [
      ...faultsOfPoints(order, entries.get(order.id) ?? []),
      ...faultsOfDelivery(order, deliveries.get(order.id) ?? [], shipments),
      ...faultsOfNotifications(order, notifications.get(order.id) ?? []),
    ]),
    ...faultsOfBalances(books),
    ...faultsOfMails(books),
    ...strangers(known, books),
  ];
}

function faultsOfPoints(
  { id, customerId, status, confirmedAt, total }: FollowedOrder,
  entries: PointEntry[],
): string[] {
  if (customerId === ERASED) return [];
  const earned = pointsFor(total);
  const takenBack = [earned, -earned];
  // One that was heard as cancelled first has never earned any.
  const never: number[] = [];
  const due = status === 'confirmed' ? [[earned]] : confirmedAt === undefined ? [never] : [never, takenBack];
  const found = entries.map(({ points }) => points).sort((a, b) => b - a);
  const isFit = (earned === 0 ? [never] : due).some((points) => points.join() === found.join());
  return isFit ? [] : [`order ${id} is ${status} and has points of [${found.join(', ')}]`];
}

/** One for each whole unit of the currency. */
function pointsFor({ amount, currency }: FollowedOrder['total']): number {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return Math.floor(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

function faultsOfDelivery(
  { id, status }: FollowedOrder,
  deliveries: Delivery[],
  shipments: Map<string, Shipment[]>,
): string[] {
  const parcels = deliveries.flatMap((delivery) => shipments.get(delivery.id) ?? []);
  const out = parcels.filter((parcel) => parcel.status !== 'recalled');
  const [delivery] = deliveries;
  const faults: string[] = [];
  if (deliveries.length > 1 || parcels.length > 1)
    faults.push(`order ${id} has ${deliveries.length} deliveries and ${parcels.length} parcels`);
  if (status !== 'confirmed') {
    if (out.length > 0) faults.push(`order ${id} is ${status}, and its parcel is on its way`);
    if (delivery && !['stopped', 'recalled', 'elsewhere'].includes(delivery.status))
      faults.push(`order ${id} is ${status}, and its delivery is ${delivery.status}`);
    return faults;
  }
  if (!delivery) return [...faults, `order ${id} is confirmed, and nobody delivers it`];
  if (delivery.status === 'elsewhere')
    return parcels.length === 0 ? faults : [...faults, `order ${id} was delivered elsewhere, and has a parcel`];
  if (!['handed_over', 'delivered'].includes(delivery.status) || out.length !== 1)
    faults.push(
      `order ${id} is confirmed; its delivery is ${delivery.status}, with ${out.length} parcels on their way`,
    );
  const isDelivered = delivery.status === 'delivered';
  if (out.length === 1 && (out[0]!.status === 'delivered') !== isDelivered)
    faults.push(`order ${id}: its delivery is ${delivery.status} here, and ${out[0]!.status} there`);
  return faults;
}

/** Each of these is due once; which of the others are due depends on what was heard when. */
function faultsOfNotifications(
  { id, customerId, status, total }: FollowedOrder,
  notifications: Notification[],
): string[] {
  const times = (template: string) => notifications.filter((one) => one.template === template).length;
  const due = status === 'confirmed' ? 'order-confirmed' : 'order-cancelled';
  const undue = status === 'confirmed' ? 'order-cancelled' : 'order-delivered';
  const faults = notifications
    .filter((one) => one.status !== 'sent' && one.status !== 'suppressed')
    .map((one) => `the mail ${one.template} of order ${id} is ${one.status}`);
  if (times(due) !== 1 && customerId !== ERASED)
    faults.push(`order ${id} is ${status}, and told so ${times(due)} times`);
  if (times(undue) > 0) faults.push(`order ${id} is ${status}, and its customer is told ${undue}`);
  if (times('order-confirmed') > 1 || times('order-delivered') > 1) faults.push(`order ${id} is told of twice`);
  if (status === 'confirmed' && total.amount > 0 && times('payment-refunded') > 0)
    faults.push(`order ${id} is confirmed, and its customer is told that the money is back`);
  return faults;
}

function faultsOfBalances({ balances }: AfterBooks): string[] {
  return balances
    .filter(({ balance, entries }) => balance !== sumOf(entries))
    .map(({ customerId, balance, entries }) => `${customerId} has ${balance} points, and entries of ${sumOf(entries)}`);
}

/** The name of a mail begins with the id of its notification. */
function faultsOfMails({ notifications, mails }: AfterBooks): string[] {
  const got = grouped(mails, ({ messageId }) => messageId.replace(/^<|@.*$/g, ''));
  const sent = new Map(notifications.map(({ id, status }) => [id, status]));
  const faults = notifications
    .filter(({ status }) => status === 'sent')
    .filter(({ id }) => got.get(id)?.length !== 1)
    .map(
      ({ id, orderId, template }) =>
        `the mail ${template} of order ${orderId} was got ${got.get(id)?.length ?? 0} times`,
    );
  const strange = [...got.keys()].filter((id) => sent.get(id) !== 'sent');
  return [...faults, ...strange.map((id) => `the mail ${id} was got, and is ${sent.get(id) ?? 'not known'} here`)];
}

function strangers(known: Set<string>, books: AfterBooks): string[] {
  const names = { deliveries: 'a delivery', notifications: 'a mail', entries: 'points' } as const;
  const faults = Object.entries(names).flatMap(([things, name]) =>
    books[things as keyof typeof names]
      .filter(({ orderId }) => !known.has(orderId))
      .map(({ orderId }) => `there is ${name} for the unknown order ${orderId}`),
  );
  const deliveries = new Set(books.deliveries.map(({ id }) => id));
  const lost = books.shipments.filter(({ reference }) => !deliveries.has(reference));
  return [...faults, ...lost.map(({ reference }) => `the carrier has ${reference}, which is not known here`)];
}

const sumOf = (entries: readonly PointEntry[]): number => entries.reduce((sum, { points }) => sum + points, 0);

function grouped<T>(things: readonly T[], keyOf: (thing: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const thing of things) groups.set(keyOf(thing), [...(groups.get(keyOf(thing)) ?? []), thing]);
  return groups;
}
