/** The table of deliveries: the statements that move one. `take-on.ts` makes them. */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Shipment } from './carrier';
import type { DeliveryKey, DeliveryService, Standing } from './delivery';

/** What whoever moves a delivery knows of it. */
export interface KnownDelivery extends DeliveryKey, Standing {
  orderId: string;
  /** Null behind an erasure, and where only a stop came. */
  customerId: string | null;
  trackingNumber: string | null;
  /** Somebody is asking the carrier to take it. */
  isLeased: boolean;
}

/** What is written of a move. */
export interface Moved extends DeliveryKey {
  standing: Standing;
  shipment?: Shipment;
  service?: DeliveryService;
  /** A code. The default is that nothing is wrong any more. */
  error?: string;
  /** How long one that is on its way is left alone, at least. */
  checkSeconds: number;
  /** The worker looks at it at once. */
  looksNow?: boolean;
}

interface Row {
  tenant: string;
  id: string;
  order_id: string;
  customer_id: string | null;
  status: Standing['status'];
  asked: boolean;
  stop_wanted: boolean;
  tracking_number: string | null;
  is_leased: boolean;
}

/** Locks the delivery for the rest of the transaction. */
export async function lockDelivery(tx: Tx, { tenant, id }: DeliveryKey): Promise<KnownDelivery | undefined> {
  const [row] = await tx.query<Row>(lockOne, [tenant, id]);
  return row && knownOf(row);
}

/** The same by the id alone, which is what the carrier knows. */
export async function lockByReference(tx: Tx, id: string): Promise<KnownDelivery | undefined> {
  const [row] = await tx.query<Row>(lockReferenced, [id]);
  return row && knownOf(row);
}

/** Locks those of them that exist, in the order of their keys. */
export async function lockDeliveries(tx: Tx, keys: readonly DeliveryKey[]): Promise<KnownDelivery[]> {
  return (await tx.query<Row>(lockAll, [rowsOf(keys.map(({ tenant, id }) => ({ tenant, id })))])).map(knownOf);
}

export interface PutOff extends DeliveryKey {
  token: string;
  error: string;
  retryAfterMs?: number;
  /** The carrier was never asked about it, so a stop need not ask either. */
  isUnasked: boolean;
}

/** Ends the lease of a delivery about which nothing became known. It is taken again later, the later the more often. */
export async function putOff(
  database: Database,
  { tenant, id, token, error, retryAfterMs = 0, isUnasked }: PutOff,
): Promise<void> {
  await database.query(putOffOne, [tenant, id, token, error, Math.ceil(retryAfterMs), isUnasked]);
}

/** Writes a move of a delivery that is locked, and ends whatever lease there is. */
export function saveMove(tx: Tx, moved: Moved): void {
  const { tenant, id, standing, shipment, service, error, checkSeconds, looksNow = false } = moved;
  const { status, asked, stopWanted } = standing;
  tx.send(saveOne, [
    tenant,
    id,
    status,
    asked,
    stopWanted,
    shipment?.id ?? null,
    shipment?.trackingNumber ?? null,
    shipment?.labelUrl ?? null,
    service ?? null,
    error ?? null,
    checkSeconds,
    looksNow,
  ]);
}

/** Orders of which only a stop is known: nothing of them is ever delivered. One that exists fails the transaction. */
export function recordStops(tx: Tx, stops: readonly (DeliveryKey & { orderId: string })[]): void {
  if (stops.length === 0) return;
  tx.send(insertStopped, [rowsOf(stops.map(({ tenant, id, orderId }) => ({ tenant, id, order_id: orderId })))]);
}

/** Stops of deliveries that are locked: ended at once, or wanted. */
export function saveStops(tx: Tx, stops: readonly (DeliveryKey & Standing)[]): void {
  if (stops.length === 0) return;
  const rows = stops.map(({ tenant, id, status, stopWanted }) => ({ tenant, id, status, stop_wanted: stopWanted }));
  tx.send(stopAll, [rowsOf(rows)]);
}

/** Makes one that is parked and locked wait again. */
export function unpark(tx: Tx, { tenant, id }: DeliveryKey): void {
  tx.send(unparkOne, [tenant, id]);
}

/** The unique key that a stop runs into when its order was confirmed meanwhile. */
export const DELIVERY_PRIMARY_KEY = 'delivery_pkey';

const knownOf = (row: Row): KnownDelivery => ({
  tenant: row.tenant,
  id: row.id,
  orderId: row.order_id,
  customerId: row.customer_id,
  status: row.status,
  asked: row.asked,
  stopWanted: row.stop_wanted,
  trackingNumber: row.tracking_number,
  isLeased: row.is_leased,
});

const columns = (d: string): string =>
  `${d}.tenant, ${d}.id, ${d}.order_id, ${d}.customer_id, ${d}.status, ${d}.asked, ${d}.stop_wanted, ${d}.tracking_number,
   coalesce(${d}.leased_until > now() and ${d}.status = 'handing_over', false) as is_leased`;

const lockOne: Statement = {
  name: 'delivery.lock',
  text: `select ${columns('d')} from delivery d where d.tenant = $1 and d.id = $2 for update`,
};

const lockReferenced: Statement = {
  name: 'delivery.lock-referenced',
  text: `select ${columns('d')} from delivery d where d.id = $1 for update`,
};

const lockAll: Statement = {
  name: 'delivery.lock-all',
  text: `
    select ${columns('d')}
    from delivery d join jsonb_to_recordset($1::jsonb) as k (tenant text, id text) on d.tenant = k.tenant and d.id = k.id
    order by d.tenant, d.id for update of d`,
};

// Twice as long after each attempt, up to ten minutes, and not all at the same time. One whose stop has come meanwhile is
// left to the stop.
const putOffOne: Statement = {
  name: 'delivery.put-off',
  text: `
    update delivery
    set lease_token = null, leased_until = null, last_error = $4,
        status = case when $6 and status = 'handing_over' then 'waiting' else status end, asked = asked and not $6,
        next_at = case when not stop_wanted then
          now() + greatest($5::int * interval '1 millisecond',
                           least(power(2, least(attempts, 12)), 600) * (0.5 + random() / 2) * interval '1 second') end,
        version = version + 1, updated_at = now()
    where tenant = $1 and id = $2 and lease_token = $3`,
};

// The label is written with the name of the shipment only, so that an erased one does not come back.
//
// One on its way is looked at now and then until it has arrived, in case no webhook tells. A request that was under way
// may arrive behind the stop, so that is looked at for a day. With a stop that is wanted, only the stop looks.
const saveOne: Statement = {
  name: 'delivery.save-move',
  text: `
    update delivery
    set status = $3, asked = $4, stop_wanted = $5,
        carrier_reference = coalesce($6, carrier_reference), tracking_number = coalesce($7, tracking_number),
        label_url = case when carrier_reference is null then $8 else label_url end, service = coalesce($9, service), last_error = $10,
        lease_token = null, leased_until = null,
        handed_over_at = case when $3 in ('handed_over', 'delivered') then coalesce(handed_over_at, now())
                              else handed_over_at end,
        ended_at = case when $3 in ('delivered', 'stopped', 'recalled') then coalesce(ended_at, now()) end,
        next_at = case
          when $5 then null
          when $12 then now()
          when $3 = 'handing_over' then now() + interval '1 second'
          when $3 = 'handed_over' and (handed_over_at is null or handed_over_at > now() - interval '60 days') then
            now() + least(greatest((now() - coalesce(handed_over_at, now())) * 0.5, $11::int * interval '1 second'),
                          interval '1 day')
          when $3 = 'stopped' and $4 and (ended_at is null or ended_at > now() - interval '1 day') then
            now() + least(greatest(now() - coalesce(ended_at, now()), interval '1 minute'), interval '1 hour')
        end,
        version = version + 1, updated_at = now()
    where tenant = $1 and id = $2`,
};

const insertStopped: Statement = {
  name: 'delivery.record-stops',
  text: `
    insert into delivery (tenant, id, order_id, status, ended_at)
    select tenant, id, order_id, 'stopped', now()
    from jsonb_to_recordset($1::jsonb) as n (tenant text, id text, order_id uuid)
    order by tenant, id`,
};

const stopAll: Statement = {
  name: 'delivery.stop',
  text: `
    update delivery d
    set status = n.status, stop_wanted = n.stop_wanted, next_at = null,
        ended_at = case when n.status = 'stopped' then now() end, version = d.version + 1, updated_at = now()
    from jsonb_to_recordset($1::jsonb) as n (tenant text, id text, status text, stop_wanted boolean)
    where d.tenant = n.tenant and d.id = n.id`,
};

const unparkOne: Statement = {
  name: 'delivery.unpark',
  text: `
    update delivery
    set status = 'waiting', attempts = 0, last_error = null, next_at = now(), version = version + 1, updated_at = now()
    where tenant = $1 and id = $2 and status = 'parked' and not stop_wanted`,
};
