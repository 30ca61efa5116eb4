/** The mutating routes of money, counted in the provider's own books, and the door of its events. */
import { createHmac, randomUUID } from 'node:crypto';
import type { Row } from './row';
import type { World } from './world';

/** `npm start` and these tests have it. */
const WEBHOOK_SECRET = 'whsec_development';
const PART = 1_000;

interface Charge {
  amount: number;
  captured: number;
  refunded: number;
  metadata: { paymentId?: string };
}

const charges = async ({ shop }: World): Promise<Charge[]> =>
  (await shop.sandbox.get<{ charges: Charge[] }>('/admin/charges')).body.charges;

const chargeOf = async (world: World, id: string): Promise<Charge> =>
  (await charges(world)).find(({ metadata }) => metadata.paymentId === id)!;

const paid = async (world: World, more: object = {}): Promise<string> => {
  const body = { amount: world.amount(), currency: 'EUR', source: 'tok_ok', ...more };
  return (await world.prepare('payment', 'POST', '/payments', body)).body['id'] as string;
};

export const paymentRows: Row[] = [
  {
    service: 'payment',
    route: 'POST /payments',
    attempt: async (world) => {
      const amount = world.amount();
      const done = async () => (await charges(world)).filter((charge) => charge.amount === amount).length;
      return { path: '/payments', body: { amount, currency: 'EUR', source: 'tok_ok' }, done };
    },
  },
  {
    service: 'payment',
    route: 'POST /payments/{id}/refunds',
    attempt: async (world) => {
      const id = await paid(world);
      const done = async () => (await chargeOf(world, id)).refunded / PART;
      return { path: `/payments/${id}/refunds`, body: { amount: PART }, done };
    },
  },
  {
    service: 'payment',
    route: 'POST /payments/{id}/captures',
    attempt: async (world) => {
      const id = await paid(world, { capture: 'manual' });
      const done = async () => ((await chargeOf(world, id))?.captured ?? 0) / PART;
      return { path: `/payments/${id}/captures`, body: { amount: PART }, done };
    },
  },
  {
    service: 'payment',
    route: 'POST /webhooks/stripe',
    attempt: async (world) => {
      const id = `evt_${randomUUID()}`;
      const body = eventOf(id, await paid(world));
      const done = () => world.number('payment', 'select count(*) from provider_event where id = $1', id);
      return { path: '/webhooks/stripe', body, headers: { 'stripe-signature': signatureOf(body) }, done };
    },
  },
];

const eventOf = (id: string, paymentId: string): string =>
  JSON.stringify({
    id,
    object: 'event',
    created: 1_767_225_600,
    livemode: false,
    type: 'payment_intent.succeeded',
    data: { object: { id: `pi_${id}`, object: 'payment_intent', metadata: { tenant: 'demo', paymentId } } },
  });

function signatureOf(body: string): string {
  const seconds = Math.floor(Date.now() / 1_000);
  return `t=${seconds},v1=${createHmac('sha256', WEBHOOK_SECRET).update(`${seconds}.${body}`).digest('hex')}`;
}
