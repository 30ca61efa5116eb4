/** The rules about what comes after an order: its points, its mails and its parcel. */
import type { After } from './script-after';
import type { OrderRecord, Records } from './records';
import type { AfterRecords } from './records-after';
import type { StepRecord } from './records-shop';
import type { SimulatedCarrier } from './simulated-carrier';
import { emailOf } from './simulated-neighbour';
import type { SimulatedPost } from './simulated-post';

export interface AfterWorld {
  after: After;
  carrier: SimulatedCarrier;
  post: SimulatedPost;
}

/** @param parked ids of the orders that wait for a person */
export function auditAfter(world: AfterWorld, records: Records, parked: ReadonlySet<string>): string[] {
  const ended = records.orders.filter(({ id }) => !parked.has(id));
  return [
    ...ended.flatMap((order) => ordersHaveWhatFollows(order, records, world)),
    ...mailsAreSent(records, world),
    ...nothingFollowsNothing(records, world),
  ];
}

type Of<T> = (order: OrderRecord, after: AfterRecords) => T;

function ordersHaveWhatFollows(order: OrderRecord, records: Records, world: AfterWorld): string[] {
  const { after } = records;
  return [
    ...everythingIsSeenTo(order, after),
    ...pointsFollowOrders(order, after),
    ...mailsFollowOrders(order, after),
    ...parcelsFollowOrders(order, after, world),
    ...refusedIsDelivered(order, records, world),
  ];
}

const everythingIsSeenTo: Of<string[]> = ({ id, status }, { heard, refunds }) => {
  const own = heard.find(({ order_id }) => order_id === id);
  const open = refunds.filter(({ order_id, done }) => order_id === id && !done);
  return [
    ...(own?.status === status ? [] : [`what is told is heard: ${id} is ${status}, and heard to be ${own?.status}`]),
    ...(own?.due_at ? [`everything is seen to: ${id} is still due`] : []),
    ...open.map(({ refund_id }) => `everything is seen to: nobody was told of ${refund_id}`),
  ];
};

const pointsFollowOrders: Of<string[]> = ({ id, status, total_amount, customer_id }, { points }) => {
  const own = points.filter(({ order_id }) => order_id === id);
  const sum = own.reduce((all, one) => all + one.points, 0);
  const expected = status === 'confirmed' ? Math.floor(total_amount / 100) : 0;
  const faults = own.filter((one) => one.customer_id !== customer_id).map((one) => `points go to ${one.customer_id}`);
  if (sum !== expected) faults.push(`${sum} points of ${expected} for ${id}, ${status}`);
  return faults.map((fault) => `points follow orders: ${fault}`);
};

/** Each mail has one row, and there is none for what did not happen. */
const mailsFollowOrders: Of<string[]> = ({ id, status, customer_id }, after) => {
  const own = after.notifications.filter(({ order_id }) => order_id === id);
  const wasTold = after.told.some(({ order_id, type }) => order_id === id && type.startsWith('order.confirmed'));
  const isDelivered = after.deliveries.some((one) => one.order_id === id && one.status === 'delivered');
  const refunds = after.refunds.filter(({ order_id }) => order_id === id).length;
  const counts: Record<string, [least: number, most: number]> = {
    // Nobody is told of a confirmation that was over when it was heard.
    'order-confirmed': [status === 'confirmed' ? 1 : 0, wasTold ? 1 : 0],
    'order-cancelled': status === 'cancelled' ? [1, 1] : [0, 0],
    'order-delivered': isDelivered ? [0, 1] : [0, 0],
    'payment-refunded': [refunds, refunds],
  };
  const faults = Object.entries(counts).flatMap(([template, [least, most]]) => {
    const count = own.filter((one) => one.template === template).length;
    return count >= least && count <= most ? [] : [`${count} of ${template} for ${id}, ${status}`];
  });
  const others = own.filter((one) => one.customer_id !== customer_id);
  return [...faults, ...others.map((one) => `${one.template} of ${id} is for ${one.customer_id}`)].map(
    (fault) => `mails follow orders: ${fault}`,
  );
};

const parcelsFollowOrders = ({ id, status }: OrderRecord, after: AfterRecords, { carrier }: AfterWorld): string[] => {
  const own = after.deliveries.find(({ order_id }) => order_id === id);
  const parcels = carrier.shipments.filter(({ reference }) => reference === own?.id);
  const out = parcels.filter((one) => one.status !== 'recalled');
  if (parcels.length > 1) return [`an order has one parcel: ${id} has ${parcels.length}`];
  if (status === 'cancelled') {
    const isStray = own?.status === 'delivered' && hasStrayed(id, after);
    const isKnown = out.every((one) => isStray && one.status === 'delivered' && carrier.late.has(one.reference));
    return isKnown ? [] : [`no parcel of a cancelled order is out: that of ${id} is ${out[0]!.status}`];
  }
  const isElsewhere = own?.status === 'elsewhere';
  if (isElsewhere !== after.heard.some(({ order_id, earlier }) => order_id === id && earlier))
    return [`orders are delivered: ${id} is ${own?.status}`];
  const isRefused = own?.status === 'parked' && carrier.refused.has(own.id);
  if (isElsewhere || isRefused) return [];
  if (own?.status === 'delivered' && out[0]?.status === 'delivered') return [];
  return [`orders are delivered: the parcel of ${id} is ${own?.status}, and at the carrier ${out[0]?.status}`];
};

/** The carrier was asked before the stop, had nothing when it was asked again, and got the parcel behind that. Operators are told. */
function hasStrayed(orderId: string, { steps }: AfterRecords): boolean {
  const own = steps.filter(({ thing, id }) => thing === 'delivery' && id === orderId);
  const stop = own.findIndex(({ is_now }) => is_now === 'stopped');
  const isNow = (behind: StepRecord[]) => behind.map(({ is_now }) => is_now);
  return (
    isNow(own.slice(0, stop)).includes('handing_over') &&
    isNow(own.slice(stop)).some((status) => status === 'handed_over' || status === 'delivered')
  );
}

/** Its money and its pieces are those of any confirmed order, which other rules look at. */
function refusedIsDelivered(
  { id, status, cancel_saga_id }: OrderRecord,
  { sagas, after }: Records,
  { carrier }: AfterWorld,
): string[] {
  if (sagas.find((saga) => saga.id === cancel_saga_id)?.status !== 'compensated') return [];
  const own = after.deliveries.find(({ order_id }) => order_id === id);
  const isOut = carrier.shipments.some(({ reference, status }) => reference === own?.id && status === 'delivered');
  return status === 'confirmed' && isOut
    ? []
    : [`who is refused has it: ${id} is ${status}, and its parcel ${own?.status}`];
}

/** Each mail reached the server, under one name, and is for its customer. At most once where that was asked for. */
function mailsAreSent({ after: { notifications } }: Records, { after, post }: AfterWorld): string[] {
  const of = (id: string) => post.accepted.filter(({ messageId }) => messageId.includes(id));
  return notifications.flatMap(({ id, customer_id, template, status, reason }) => {
    const what = `${template} (${id})`;
    const came = of(id);
    const faults: string[] = [];
    if (after.isAtMostOnce && came.length > 1)
      faults.push(`a mail is sent at most once: ${what} came ${came.length} times`);
    if (came.some(({ to }) => to.address !== emailOf(customer_id))) faults.push(`mails reach their customers: ${what}`);
    const isSent = status === 'sent' && came.length > 0;
    const isParked =
      status === 'parked' &&
      (reason === 'outcome_unknown'
        ? after.isAtMostOnce
        : post.refused.has(came[0]?.messageId ?? '') || reason!.startsWith('smtp_'));
    const isSuppressed = status === 'suppressed' && came.length === 0;
    if (!isSent && !isParked && !isSuppressed) faults.push(`mails are sent: ${what} is ${status}, ${reason}`);
    return faults;
  });
}

/** What nobody asked for does not exist. */
function nothingFollowsNothing({ orders, after }: Records, { carrier, post }: AfterWorld): string[] {
  const has = (id: string) => orders.some((order) => order.id === id);
  const { points, notifications, deliveries } = after;
  return [
    ...[...points, ...notifications, ...deliveries]
      .filter(({ order_id }) => !has(order_id))
      .map(({ order_id }) => `nothing follows nothing: nobody placed ${order_id}`),
    ...carrier.shipments
      .filter(({ reference }) => !deliveries.some(({ id }) => id === reference))
      .map(({ reference }) => `nothing follows nothing: nobody sends ${reference}`),
    ...post.accepted
      .filter(({ messageId }) => !notifications.some(({ id }) => messageId.includes(id)))
      .map(({ messageId }) => `nothing follows nothing: nobody writes ${messageId}`),
  ];
}
