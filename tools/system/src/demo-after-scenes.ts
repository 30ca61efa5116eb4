/** The scenes of the demo behind the order: the mail, the points, the parcel and the invoice, and their undoing. */
import { randomUUID } from 'node:crypto';
import { look, type Order, print, type Scene, type Stage } from './demo-stage';
import { ALICE } from './seed';

interface Mail {
  subject: string;
  text: string;
}

interface Points {
  balance: number;
  items: { orderId: string; points: number }[];
}

interface Delivery {
  id: string;
  status: string;
  trackingNumber: string | null;
}

interface Shipment {
  id: string;
  reference: string;
}

interface Invoice {
  number: string;
  kind: string;
  currency: string;
  totals: { gross: number; tax: number };
}

export const afterScenes: Scene[] = [
  {
    title: 'What follows a good order: a mail, points, a parcel and an invoice',
    play: async (stage) => {
      const id = await confirmed(stage);
      await showMails(stage, id, 1);
      await showPoints(stage, id, earned);
      await showParcel(stage, id, 'handed_over');
      await invoice(stage, id);
    },
  },
  {
    title: 'And of one that is cancelled afterwards: each of them is taken back',
    play: async (stage) => {
      const id = await confirmed(stage);
      await showMails(stage, id, 1);
      await showPoints(stage, id, earned);
      await showParcel(stage, id, 'handed_over');
      await invoice(stage, id);
      const { status } = await stage.clients.order.send('DELETE', `/orders/${id}`);
      print(`  DELETE: ${status}`);
      await stage.tell(id, 'cancelled', 'cancelled_by_client');
      await showParcel(stage, id, 'recalled');
      await showPoints(stage, id, takenBack);
      await showMails(stage, id, 3);
      await showCreditNote(stage, id);
    },
  },
  {
    title: 'Delivered: it cannot be cancelled any more',
    play: async (stage) => {
      const id = await confirmed(stage);
      const { id: reference } = await showParcel(stage, id, 'handed_over');
      const { shipments } = (await stage.clients.sandbox.get<{ shipments: Shipment[] }>('/admin/shipments')).body;
      const shipment = shipments.find((one) => one.reference === reference);
      await stage.clients.sandbox.post(`/admin/shipments/${shipment?.id}/deliver`, {});
      await showParcel(stage, id, 'delivered');
      const refused = await until(() => stage.clients.order.send<Order>('DELETE', `/orders/${id}`), 409);
      print(`  DELETE: ${refused.status} ${refused.body.code}`);
      stage.expect(refused.body.code === 'already_shipped', 'it should be refused, because the customer has it');
      await stage.tell(id, 'confirmed');
    },
  },
];

async function confirmed(stage: Stage): Promise<string> {
  const { id } = (await stage.place('cup', 2, 'tok_ok')).body;
  const { status } = (await stage.settled(id)).body;
  print(`  order ${id}: ${status}`);
  stage.expect(status === 'confirmed', 'the order should be confirmed');
  return id;
}

async function showMails({ clients, expect }: Stage, id: string, count: number): Promise<void> {
  const mails = await look(
    async () => {
      const { body } = await clients.sandbox.get<{ mails: Mail[] }>(
        `/admin/mails?to=${encodeURIComponent(ALICE.email)}`,
      );
      return body.mails.filter(({ text }) => text.includes(id));
    },
    ({ length }) => length >= count,
  );
  for (const { subject } of mails) print(`  a mail to ${ALICE.email}: ${subject}`);
  expect(mails.length === count, `there should be ${count} mails`);
}

/** The entries of the order, such as +24 and -24. */
async function showPoints(
  { clients, expect }: Stage,
  id: string,
  isFit: (entries: number[]) => boolean,
): Promise<void> {
  const read = async () => (await clients.fulfilment.get<Points>(`/customers/${ALICE.id}/points`)).body;
  const entriesIn = ({ items }: Points) => items.filter(({ orderId }) => orderId === id).map(({ points }) => points);
  const found = await look(read, (points) => isFit(entriesIn(points)));
  const entries = entriesIn(found).map((points) => (points > 0 ? `+${points}` : `${points}`));
  print(`  points of ${ALICE.id}: ${entries.reverse().join(' and ')} for it, ${found.balance} in all`);
  expect(isFit(entriesIn(found)), 'the points should be others');
}

const earned = ([points = 0, ...others]: number[]): boolean => points > 0 && others.length === 0;
const takenBack = (entries: number[]): boolean => entries.length === 2 && entries[0] === -entries[1]!;

async function showParcel({ clients, expect }: Stage, orderId: string, status: string): Promise<Delivery> {
  const path = `/deliveries?orderId=${orderId}`;
  const [delivery] = await look(
    async () => (await clients.fulfilment.get<{ items: Delivery[] }>(path)).body.items,
    ([found]) => found?.status === status,
  );
  const tracking = delivery?.trackingNumber ? `, tracking number ${delivery.trackingNumber}` : '';
  print(`  the parcel ${delivery?.id}: ${delivery?.status}${tracking}`);
  expect(delivery?.status === status, `the parcel should be ${status}`);
  return delivery!;
}

async function invoice({ clients, expect, system }: Stage, orderId: string): Promise<void> {
  const { status, body } = await clients.payment.post<Invoice>('/invoices', { orderId }, randomUUID());
  print(`  an invoice: ${status} ${describe(body)}, as paper: ${system.urls.payment}/invoices/${body.number}.pdf`);
  expect(status === 201, 'the invoice should be made');
}

async function showCreditNote({ clients, expect }: Stage, orderId: string): Promise<void> {
  const notes = await look(
    async () => {
      const { body } = await clients.payment.get<{ items: Invoice[] }>(`/invoices?orderId=${orderId}`);
      return body.items.filter(({ kind }) => kind === 'credit_note');
    },
    ({ length }) => length > 0,
  );
  for (const note of notes) print(`  a credit note: ${describe(note)}`);
  expect(notes.length === 1, 'there should be one credit note');
}

const describe = ({ number, totals, currency }: Invoice): string =>
  `${number}, ${(totals.gross / 100).toFixed(2)} ${currency}, of which tax ${(totals.tax / 100).toFixed(2)}`;

const until = <T extends { status: number }>(ask: () => Promise<T>, status: number): Promise<T> =>
  look(ask, (answer) => answer.status === status);
