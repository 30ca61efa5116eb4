/** The scenes of the demo: orders of every kind, and what goes wrong around them. */
import { randomUUID } from 'node:crypto';
import { type Order, print, type Scene } from './demo-stage';

export const scenes: Scene[] = [
  {
    title: 'A good order: reserve, charge, confirm',
    play: async (stage) => stage.tell((await stage.place('cup', 2, 'tok_ok')).body.id, 'confirmed'),
  },
  {
    title: 'A declined card: what was reserved is released',
    play: async (stage) =>
      stage.tell((await stage.place('beans', 1, 'tok_declined')).body.id, 'cancelled', 'payment_declined'),
  },
  {
    title: 'Sold out: nothing is charged',
    play: async (stage) => stage.tell((await stage.place('unicorn', 1, 'tok_ok')).body.id, 'cancelled', 'out_of_stock'),
  },
  {
    title: 'The same request twice: one order, one answer',
    play: async (stage) => {
      const key = randomUUID();
      const first = await stage.place('cup', 1, 'tok_ok', key);
      const again = await stage.place('cup', 1, 'tok_ok', key);
      print(`  first:  ${first.status} ${first.body.id}`);
      print(
        `  again:  ${again.status} ${again.body.id}, Idempotent-Replayed: ${again.headers.get('idempotent-replayed')}`,
      );
      stage.expect(again.text === first.text, 'the second answer should be the first one, byte for byte');
      stage.expect(
        again.headers.get('idempotent-replayed') === 'true',
        'the second answer should say that it is a replay',
      );
      await stage.tell(first.body.id, 'confirmed');
    },
  },
  {
    title: 'The same key for another request: refused',
    play: async (stage) => {
      const key = randomUUID();
      const first = await stage.place('cup', 1, 'tok_ok', key);
      const other = await stage.place('cup', 7, 'tok_ok', key);
      print(`  other:  ${other.status} ${other.body.code}`);
      stage.expect(
        other.status === 409 && other.body.code === 'idempotency_key_reused',
        'it should be refused with 409',
      );
      await stage.tell(first.body.id, 'confirmed');
    },
  },
  {
    title: 'Cancelled after it was confirmed: refunded and put back',
    play: async (stage) => {
      const { order } = stage.clients;
      const { id } = (await stage.place('grinder', 1, 'tok_ok')).body;
      await order.get(`/orders/${id}`, { prefer: 'wait=30' });
      const deleted = await order.send('DELETE', `/orders/${id}`);
      const repeated = await order.send('DELETE', `/orders/${id}`);
      print(`  DELETE: ${deleted.status}, and again: ${repeated.status}`);
      await stage.tell(id, 'cancelled', 'cancelled_by_client');
    },
  },
  {
    title: 'Charged, but the answer was lost: looked up by its name, charged once',
    play: async (stage) => stage.tell((await stage.place('beans', 1, 'tok_timeout_once')).body.id, 'confirmed'),
  },
  {
    title: 'The payment service is killed while it charges, and comes back',
    play: async (stage) => {
      const { payment } = stage.system.services;
      const { id } = (await stage.place('cup', 3, 'tok_slow')).body;
      // The provider takes two seconds for this one, so the kill falls into the call.
      await new Promise((resolve) => setTimeout(resolve, 700));
      await payment.kill('SIGKILL');
      print('  payment service killed');
      await payment.start();
      print('  payment service started again');
      await stage.tell(id, 'confirmed');
    },
  },
  {
    title: '3-D Secure: the bank asks the customer, who approves',
    play: async (stage) => {
      const { id } = (await stage.place('cup', 1, 'tok_3ds')).body;
      await stage.press(await stage.bankPage(id), 'approve');
      await stage.tell(id, 'confirmed');
    },
  },
  {
    title: '3-D Secure: the customer walks away, and the page is dead afterwards',
    play: async (stage) => {
      const { id } = (await stage.place('cup', 1, 'tok_3ds')).body;
      const page = await stage.bankPage(id);
      await stage.tell(id, 'cancelled', 'payment_expired');
      stage.expect((await stage.press(page, 'approve')) === 410, 'the page should be gone');
    },
  },
  {
    title: 'The webhook comes first, five times: our own call still waits for its answer, and the charge is one',
    play: async (stage) => {
      await stage.sendWebhooks({ repeat: 5, shuffle: true });
      await stage.tell((await stage.place('beans', 1, 'tok_timeout_once')).body.id, 'confirmed');
      await stage.sendWebhooks();
    },
  },
  {
    title: 'The webhook never comes: the customer has approved, and the provider is asked instead',
    play: async (stage) => {
      await stage.sendWebhooks({ enabled: false });
      const { id } = (await stage.place('cup', 1, 'tok_3ds')).body;
      await stage.press(await stage.bankPage(id), 'approve');
      await stage.tell(id, 'confirmed');
      await stage.sendWebhooks();
    },
  },
  {
    title: 'The provider is flaky: every fourth answer fails or is lost, and ten orders are charged once each',
    play: async (stage) => {
      const { order, sandbox } = stage.clients;
      await sandbox.put('/admin/faults', { errorRate: 0.1, resetRate: 0.05, lostAnswerRate: 0.1, seed: 7 });
      const placed = await Promise.all(Array.from({ length: 10 }, () => stage.place('beans', 1, 'tok_ok')));
      const ends = await Promise.all(
        placed.map(({ body }) => order.get<Order>(`/orders/${body.id}`, { prefer: 'wait=60' })),
      );
      await sandbox.send('DELETE', '/admin/faults');
      const confirmed = ends.filter(({ body }) => body.status === 'confirmed').length;
      print(`  ${confirmed} of ${ends.length} confirmed`);
      stage.expect(confirmed === ends.length, 'all of them should be confirmed');
    },
  },
];
