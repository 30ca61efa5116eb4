/** The scenes of the demo: orders of every kind, and what goes wrong around them. */
import { randomUUID } from 'node:crypto';
import { print, type Stage } from './demo-stage';

export interface Scene {
  title: string;
  play: (stage: Stage) => Promise<void>;
}

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
    title: 'Charged, but the answer was lost: asked again with the same key, charged once',
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
];
