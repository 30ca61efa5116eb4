/** The scenes of the demo in front of the order: a cart, a promotion, and pieces that are held for a customer. */
import { randomUUID } from 'node:crypto';
import type { ApiResponse } from './api-client';
import { look, type Order, print, type Scene, type Stage } from './demo-stage';
import { BUNDLE, PARTS, WELCOME } from './seed';

interface Money {
  amount: number;
  currency: string;
}

interface Cart {
  subtotal: Money;
  discount: Money;
  total: Money;
}

interface Reservation {
  id: string;
  status: string;
  expiresAt: string;
}

interface Screen {
  progress: { text: string; percent: number };
  payment: { status: string } | null;
  reservation: { status: string } | null;
  degraded: string[];
}

interface Refusal {
  code: string;
  statusUrl?: string;
}

const LINES = [
  { sku: 'cup', quantity: 2 },
  { sku: 'grinder', quantity: 1 },
];
const AT_ONCE = 10;
/** Each look takes a moment, so this is some seconds. */
const MAX_LOOKS = 100;
const LOOK_MS = 100;

export const shopScenes: Scene[] = [
  {
    title:
      'A cart with a promotion: the pieces are held while the customer types in the address, and the order takes them over',
    play: async (stage) => {
      const cartId = await filledCart(stage);
      const cart = await pressPromotion(stage, cartId);
      const reservation = await hold(stage, 600);
      const other = await orderOf(stage, { cartId, expectedTotal: cart.subtotal });
      print(`  an order for the price without the promotion: ${other.status} ${other.body.code}`);
      stage.expect(other.body.code === 'price_changed', 'it should be refused, because the price is another one');
      const wish = { cartId, reservationId: reservation.id, expectedTotal: cart.total };
      const placed = await orderOf(stage, wish);
      print(`  an order for the price that was shown: ${placed.status}, order ${placed.body.id}`);
      await stage.tell(placed.body.id, 'confirmed');
      await show(stage, placed.body.id);
      const taken = await stage.clients.inventory.get<Reservation>(`/reservations/${reservation.id}`);
      print(`  the reservation: ${taken.body.status}`);
      stage.expect(taken.body.status === 'taken', 'the order should have taken it over');
    },
  },
  {
    title: `One cart, ordered ${AT_ONCE} times at once with ${AT_ONCE} keys: one order`,
    play: async (stage) => {
      const cartId = await filledCart(stage);
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => orderOf(stage, { cartId })));
      const placed = answers.filter(({ status }) => status === 201);
      const others = answers.filter(({ body }) => body.code === 'already_submitted');
      print(
        `  ${placed.length} was accepted, ${others.length} were told that it is submitted, and where: ${others[0]?.body.statusUrl}`,
      );
      stage.expect(placed.length === 1 && others.length === AT_ONCE - 1, 'one of them should be accepted');
      await stage.tell(placed[0]!.body.id, 'confirmed');
    },
  },
  {
    title: 'A bundle: ordered as one thing, and its parts leave',
    play: async (stage) => {
      const before = await freePieces(stage);
      await stage.tell((await stage.place(BUNDLE.sku, 1, 'tok_ok')).body.id, 'confirmed');
      const after = await freePieces(stage);
      const parts = PARTS.map(({ sku }) => `${sku} from ${before[sku]} to ${after[sku]}`);
      print(`  free pieces: ${parts.join(', ')}`);
      const left = PARTS.every(({ sku, quantity }) => before[sku]! - after[sku]! === quantity);
      stage.expect(left, 'each part should have left');
    },
  },
  {
    title: 'Held and never ordered: when the time is over, the pieces are back',
    play: async (stage) => {
      const { id } = await hold(stage, 1);
      const ended = await untilEnded(stage, id);
      print(`  the reservation: ${ended.status}`);
      stage.expect(ended.status === 'expired', 'its time should be over');
    },
  },
];

async function filledCart(stage: Stage): Promise<string> {
  const id = randomUUID();
  const answer = await stage.clients.order.put<Cart>(`/carts/${id}`, { customerId: 'alice', items: LINES });
  print(`  a cart: ${answer.status}, ${priceOf(answer.body.total)}`);
  stage.expect(answer.status === 201, 'the cart should be made');
  return id;
}

/** Twice, as people do. */
async function pressPromotion(stage: Stage, cartId: string): Promise<Cart> {
  const { order } = stage.clients;
  const path = `/carts/${cartId}/promotions/${WELCOME}`;
  const presses = await Promise.all([order.put<Cart>(path, {}), order.put<Cart>(path, {})]);
  const { body } = await order.get<Cart>(`/carts/${cartId}`);
  const statuses = presses.map(({ status }) => status).sort();
  print(`  the promotion ${WELCOME}, pressed twice: ${statuses.join(' and ')}, ${priceOf(body.discount)} off once`);
  stage.expect(statuses.join() === '200,201', 'it should be on the cart once');
  return body;
}

async function hold(stage: Stage, ttlSeconds: number): Promise<Reservation> {
  const wish = { lines: LINES, ttlSeconds, customerId: 'alice' };
  const answer = await stage.clients.inventory.post<Reservation>('/reservations', wish, randomUUID());
  const { id, expiresAt } = answer.body;
  print(`  a reservation: ${answer.status} ${id}, until ${expiresAt}`);
  stage.expect(answer.status === 201, 'the pieces should be held');
  return answer.body;
}

function orderOf(stage: Stage, wish: object): Promise<ApiResponse<Order & Refusal>> {
  return stage.clients.order.post('/orders', { ...wish, payment: { source: 'tok_ok' } }, randomUUID());
}

/** What a front end shows of an order, in one request. */
async function show(stage: Stage, id: string): Promise<void> {
  // A neighbour that is late once is no trouble.
  const { body } = await look(
    () => stage.clients.order.get<Screen>(`/orders/${id}/view`),
    ({ body: { degraded } }) => degraded.length === 0,
  );
  const { progress, payment, reservation, degraded } = body;
  print(
    `  its screen: ${progress.text} (${progress.percent} %), payment ${payment?.status}, pieces ${reservation?.status}`,
  );
  stage.expect(degraded.length === 0, 'the screen should be whole');
}

async function freePieces({ clients }: Stage): Promise<Record<string, number>> {
  const skus = PARTS.map(({ sku }) => sku).join();
  const { body } = await clients.inventory.get<{ items: { sku: string; available: number }[] }>(`/stock?skus=${skus}`);
  return Object.fromEntries(body.items.map(({ sku, available }) => [sku, available]));
}

async function untilEnded({ clients }: Stage, id: string): Promise<Reservation> {
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const { body } = await clients.inventory.get<Reservation>(`/reservations/${id}`);
    if (body.status !== 'open') return body;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`reservation ${id} does not end`);
}

const priceOf = ({ amount, currency }: Money): string => `${(amount / 100).toFixed(2)} ${currency}`;
