/** The whole fulfilment service in two replicas on one database, with a carrier and an order service that tests direct. */
import { randomUUID } from 'node:crypto';
import { StopDelivery } from '@shop/contracts';
import { type Answer, callersOf, TestClient } from '@shop/http/testing';
import { newMessage, type Reply } from '@shop/messaging';
import { Participant } from '@shop/participant';
import { Database } from '@shop/postgres';
import { signatureOf } from '@shop/service';
import { answersWith, FakeNeighbour, openService, type ServiceUrls } from '@shop/service/testing';
import { eventually } from '@shop/testing';
import { fulfilmentService } from '../src/app';
import { deliveryIdOf } from '../src/deliveries/delivery';
import { type NewDelivery, takeOnDeliveries } from '../src/deliveries/take-on';
import { FakeCarrier, type FakeShipment, type Fault } from './fake-carrier';

const known = callersOf({
  operator: 'acme/olga:operator',
  customer: 'acme/carl:customer',
  rival: 'rival/rita:operator',
});
export const { callers } = known;

export const CARRIER_SECRET = 'whsec_of_the_carrier_0001';

export interface DeliveryRow {
  status: string;
  asked: boolean;
  stop_wanted: boolean;
  service: string | null;
  customer_id: string | null;
  placed_by: string | null;
  carrier_reference: string | null;
  tracking_number: string | null;
  label_url: string | null;
  attempts: number;
  last_error: string | null;
  next_at: Date | null;
}

export interface Placed {
  tenant: string;
  orderId: string;
  id: string;
}

const lines = [{ sku: 'mug', quantity: 2 }];

export class DeliveryWorld {
  readonly apps: TestClient[] = [];
  /** The addresses in the profiles of customers. */
  readonly profiles = new Map<string, object>();

  private constructor(
    readonly carrier: FakeCarrier,
    readonly order: FakeNeighbour,
  ) {}

  static async open(urls: ServiceUrls, { replicas = 1 } = {}): Promise<DeliveryWorld> {
    const world = new DeliveryWorld(await new FakeCarrier().open(), await FakeNeighbour.open());
    world.order.way = (response, request) => {
      const id = decodeURIComponent(request.url!.split('/').at(-1)!);
      const profile = world.profiles.get(id);
      if (!profile) return answersWith(404, { code: 'profile_not_found' })(response, request);
      return answersWith(200, { id, displayName: 'Carl', locale: 'en', email: 'carl@example.com', ...profile })(
        response,
        request,
      );
    };
    const env = {
      API_KEYS: known.API_KEYS,
      ORDER_URL: world.order.url,
      NEIGHBOUR_KEY: 'a-key-of-enough-characters',
      CARRIER_URL: world.carrier.url,
      CARRIER_API_KEY: 'key-of-the-carrier',
      CARRIER_PER_SECOND: '1000',
      CARRIER_WEBHOOK_SECRETS: CARRIER_SECRET,
    };
    for (let number = 0; number < replicas; number += 1) {
      const app = await openService(fulfilmentService, urls, env, { takesMessages: false });
      world.apps.push(new TestClient(app, callers.operator));
    }
    return world;
  }

  async close(): Promise<void> {
    this.carrier.letGo();
    await Promise.all(this.apps.map((app) => app.close()));
    await Promise.all([this.carrier.close(), this.order.close()]);
  }

  get client(): TestClient {
    return this.apps[0]!;
  }

  get database(): Database {
    return this.client.app.get(Database);
  }

  /** An order that was confirmed, or is about to be. */
  newOrder(tenant = 'acme'): Placed {
    const orderId = randomUUID();
    return { tenant, orderId, id: deliveryIdOf({ tenant, orderId }) };
  }

  takeOn(order: Placed, more: Partial<NewDelivery> = {}): Promise<void> {
    const { tenant, orderId } = order;
    const delivery = { tenant, orderId, customerId: `customer-${orderId}`, lines, ...more };
    return this.database.transaction(async (tx) => takeOnDeliveries(tx, [delivery]));
  }

  /** Takes one on that nobody works on for an hour. */
  async keepWaiting(order: Placed): Promise<void> {
    const { tenant, orderId } = order;
    await this.database.transaction(async (tx) => {
      takeOnDeliveries(tx, [{ tenant, orderId, customerId: `customer-${orderId}`, lines }]);
      tx.send(waitAnHour, [order.id]);
    });
  }

  /** Takes one on, and waits until the carrier has it. */
  async handedOver(): Promise<Placed> {
    const order = this.newOrder();
    await this.takeOn(order);
    await this.comesTo(order, 'handed_over');
    return order;
  }

  async row({ id }: Placed): Promise<DeliveryRow> {
    const [row] = await this.client.query<DeliveryRow>('select * from delivery where id = $1', [id]);
    return row!;
  }

  comesTo(order: Placed, status: string): Promise<void> {
    return eventually(async () => expect((await this.row(order)).status).toBe(status));
  }

  /** Takes one on that the carrier is asked to take in vain. Then nobody works on it for an hour, or as it `keeps`. */
  async inDoubt(fault: Fault, { keeps = false } = {}): Promise<Placed> {
    const order = this.newOrder();
    this.carrier.failing = fault;
    await this.takeOn(order);
    await eventually(async () => expect((await this.row(order)).last_error).toBe('not_answered'));
    if (!keeps) await this.isPutOff(order);
    this.carrier.failing = undefined;
    return order;
  }

  async isPutOff({ id }: Placed): Promise<void> {
    await eventually(async () => {
      const [changed] = await this.client.query<unknown[]>(
        `update delivery set next_at = now() + interval '1 hour'
         where id = $1 and status in ('waiting', 'handing_over') and lease_token is null and last_error = 'not_answered' returning id`,
        [id],
      );
      expect(changed).toHaveLength(1);
    });
  }

  /** As if time had gone by. */
  async change({ id }: Placed, change: string): Promise<void> {
    await this.client.query(`update delivery set ${change} where id = $1`, [id]);
  }

  isDue(order: Placed): Promise<void> {
    return this.change(order, 'next_at = now()');
  }

  /** The events that others hear of it, in order. */
  async told({ id }: Placed): Promise<{ id: string; type: string; data: object }[]> {
    const rows = await this.client.query<{ event: { id: string; type: string; data: object } }>(
      `select event from outbox where event->>'subject' = $1 order by position`,
      [id],
    );
    return rows.map(({ event }) => event);
  }

  async toldTypes(order: Placed): Promise<string[]> {
    return (await this.told(order)).map(({ type }) => type);
  }

  stop({ tenant, orderId }: Placed, { saga = randomUUID(), replica = 0 } = {}): Promise<Reply> {
    const message = newMessage({
      id: `${saga}/stop-delivery/do`,
      type: StopDelivery.type,
      source: 'order',
      subject: saga,
      data: { tenant, orderId },
    });
    return this.apps[replica]!.app.get<Participant>(Participant).perform(message);
  }

  /** An event of the carrier about this shipment. */
  hook(
    shipment: FakeShipment,
    { status = shipment.status, id = `evt_${randomUUID()}`, secret = CARRIER_SECRET } = {},
  ): Promise<Answer> {
    return this.post(
      JSON.stringify({ id, type: `shipment.${status}`, data: { shipment: { ...shipment, status } } }),
      secret,
    );
  }

  post(body: string, secret = CARRIER_SECRET, ageSeconds = 0): Promise<Answer> {
    const at = Math.floor((performance.timeOrigin + performance.now()) / 1_000) - ageSeconds;
    const headers = { 'carrier-signature': signatureOf(Buffer.from(body), { secret, at }) };
    return this.client.call('POST', '/webhooks/carrier', { key: null, body, headers });
  }
}

const waitAnHour = {
  name: 'test.wait-an-hour',
  text: `update delivery set next_at = now() + interval '1 hour' where id = $1`,
};
