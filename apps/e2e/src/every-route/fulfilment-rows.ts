/** The mutating routes behind an order: mails and deliveries that are tried again, news of the carrier, and backfills. */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Service } from './attempt';
import type { Row } from './row';
import type { World } from './world';

/** `npm start` and these tests have it. */
const WEBHOOK_SECRET = 'whsec_development';

const idWith = (prefix: string): string => `${prefix}_${randomBytes(20).toString('base64url')}`;

/** How often it was taken up again: put aside, it stays so until somebody asks. */
const takenUp = (world: World, table: string, id: string) => () =>
  world.number('fulfilment', `select count(*) from ${table} where id = $1 and status <> 'parked'`, id);

export const fulfilmentRows: Row[] = [
  {
    service: 'fulfilment',
    route: 'POST /notifications/{id}/retry',
    attempt: async (world) => {
      const id = idWith('ntf');
      // Nobody knows its customer, so it is written to nobody.
      const text = `insert into notification (tenant, id, customer_id, template, cause, order_id, data, status, reason)
                    values ('demo', $1, $2, 'order-confirmed', $3::uuid::text, $3::uuid, '{}', 'parked', 'smtp_550') returning 1`;
      await world.number('fulfilment', text, id, world.name(), randomUUID());
      return { path: `/notifications/${id}/retry`, done: takenUp(world, 'notification', id) };
    },
  },
  {
    service: 'fulfilment',
    route: 'POST /deliveries/{id}/retry',
    attempt: async (world) => {
      const id = idWith('dlv');
      const text = `insert into delivery (tenant, id, order_id, customer_id, lines, status)
                    values ('demo', $1, $2::uuid, $3, '[{"sku": "cup", "quantity": 1}]', 'parked') returning 1`;
      await world.number('fulfilment', text, id, randomUUID(), world.name());
      return { path: `/deliveries/${id}/retry`, done: takenUp(world, 'delivery', id) };
    },
  },
  {
    service: 'fulfilment',
    route: 'POST /webhooks/carrier',
    attempt: async (world) => {
      const id = `evt_${randomUUID()}`;
      const body = newsOf(id);
      const heard = () => world.number('fulfilment', `select count(*) from ledger where key = $1`, id);
      return { path: '/webhooks/carrier', body, headers: { 'carrier-signature': signatureOf(body) }, done: heard };
    },
  },
];

/** Each run of a backfill is begun once. */
export const backfillRow = (service: Service, name: string): Row => ({
  service,
  route: 'PUT /backfills/{name}',
  moving: ['status', 'worked', 'estimate', 'lastError', 'startedAt', 'workedAt', 'endedAt'],
  attempt: async (world) => {
    // Whatever it was: it is over.
    const text = `update backfill set status = 'done', runs = runs + 1, lease_token = null where name = $1 returning runs`;
    const runs = await world.number(service, text, name);
    const done = async () => (await world.number(service, 'select runs from backfill where name = $1', name)) - runs;
    return { path: `/backfills/${name}`, body: { status: 'running', run: runs + 1 }, done };
  },
});

/** Of a shipment that nobody knows. */
const newsOf = (id: string): string =>
  JSON.stringify({
    id,
    type: 'shipment.delivered',
    data: { shipment: { id: `shp_${id}`, reference: idWith('dlv'), status: 'delivered' } },
  });

function signatureOf(body: string): string {
  const seconds = Math.floor(Date.now() / 1_000);
  return `t=${seconds},v1=${createHmac('sha256', WEBHOOK_SECRET).update(`${seconds}.${body}`).digest('hex')}`;
}
