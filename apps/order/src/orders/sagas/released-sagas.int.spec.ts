/**
 * Sagas that a released version left in any state end by the plan of that version in today's service. `released/` has
 * one file for each version of a definition. RELEASE_SAGAS=1 writes the missing files, and nothing ever overwrites one.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newTraceparent } from '@shop/observability';
import { isFinal, type SagaDefinition, type SagaState, type SagaView } from '@shop/saga';
import { bodiesOf, planOf, type Release, releaseOf, SAMPLE_ID } from '@shop/saga/testing';
import type { Stack } from '@shop/stack';
import { eventually, useStack } from '@shop/testing';
import { v7 as uuidv7 } from 'uuid';
import { callers, OrderApp, startOwnBroker } from '../../../testing/order-app';
import { Participants, type Script, succeeded } from '../../../testing/participants';
import { type CancelOrder, cancelOrder } from './cancel-order.saga';
import { orderSagas } from './order-sagas';
import { type PlaceOrder, placeOrder } from './place-order.saga';

const FOLDER = join(__dirname, '../../../released');
const fileOf = ({ name, version }: { name: string; version: number }): string => `${name}.v${version}.json`;

const placing: PlaceOrder = {
  tenant: 'acme',
  orderId: '00000000-0000-7000-8000-000000000002',
  lines: [
    { sku: 'cup', quantity: 2 },
    { sku: 'beans', quantity: 1 },
  ],
  amount: 4_850,
  currency: 'EUR',
  source: 'tok_ok',
};
const cancelling: CancelOrder = { tenant: 'acme', orderId: placing.orderId, placedBy: SAMPLE_ID };
const samples: Record<string, object> = { [placeOrder.name]: placing, [cancelOrder.name]: cancelling };

if (process.env['RELEASE_SAGAS'] === '1') {
  for (const definition of orderSagas) {
    const path = join(FOLDER, fileOf(definition));
    const release = releaseOf(definition, samples[definition.name]!);
    if (!existsSync(path)) writeFileSync(path, `${JSON.stringify(release, null, 2)}\n`);
  }
}

const readRelease = (file: string): Release => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Release;
const released = readdirSync(FOLDER).map((file) => [file, readRelease(file)] as const);
const today = (plan: { name: string; version: number }): SagaDefinition<never> | undefined =>
  orderSagas.find((one) => fileOf(one) === fileOf(plan));

describe('R8 the definitions', () => {
  it('R8 are released, each version in a file of its own', () => {
    // A new one is written with RELEASE_SAGAS=1, see CONTRIBUTING.md.
    expect(released.map(([file]) => file).sort()).toEqual(orderSagas.map(fileOf).sort());
  });

  it.each(released)(
    'R8 are what they were when they were released: %s (a change needs a new version)',
    (_, release) => {
      const definition = today(release.plan)!;
      expect(planOf(definition)).toEqual(release.plan);
      expect(bodiesOf(definition, release.data)).toEqual(release.bodies);
    },
  );
});

describe('R8 the sagas of a released version', () => {
  const stack = useStack();
  let broker: Stack;
  let app: OrderApp;
  let participants: Participants;

  beforeAll(async () => {
    broker = await startOwnBroker(stack);
    participants = await Participants.join(broker.natsUrl);
    app = await OrderApp.start({ databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl });
  });
  afterAll(async () => {
    await app.close();
    await participants.leave();
    await broker.stop();
  });

  it.each(released)('R8 end by its plan, from whatever state it left them in: %s', async (_, release) => {
    const script: Script = Object.fromEntries(Object.keys(release.bodies).map((command) => [command, succeeded]));
    const left = release.states.map((state) => ({ id: uuidv7(), state }));
    await Promise.all(left.map(({ id }) => participants.play(id, script)));
    for (const { id, state } of left) await insertSaga(id, release, state);
    await Promise.all(left.map(({ id, state }) => wake(id, state)));
    for (const { id, state } of left) {
      await eventually(async () => expect([state, await show(id)]).toEqual([state, endOf(state)]));
      for (const command of participants.commandsOf(id)) {
        const body = JSON.stringify(release.bodies[command]).replaceAll(SAMPLE_ID, id);
        expect(participants.bodyOf(id, command)).toEqual(JSON.parse(body));
      }
    }
  });

  /** Inserts the saga as the release wrote it, by the names of the columns. */
  async function insertSaga(id: string, { plan, data }: Release, state: SagaState): Promise<void> {
    const { status, step, action, attempt, reason, cancelRequested } = state;
    const awaited = status === 'running' || status === 'compensating';
    const row = {
      id,
      definition: plan.name,
      definition_version: plan.version,
      status,
      step,
      action,
      attempt,
      reason,
      cancel_requested: cancelRequested,
      deadline_at: awaited ? new Date(Date.now() + (attempt === 1 ? -1_000 : 3_600_000)) : null,
      data: JSON.parse(JSON.stringify(data).replaceAll(SAMPLE_ID, id)) as unknown,
      traceparent: newTraceparent(),
      version: 1,
    };
    const columns = Object.keys(row).join();
    await app.query(
      `with saved as (insert into saga (${columns}) select ${columns} from jsonb_populate_record(null::saga, $1) returning id)
       insert into saga_history (saga_id, seq, event, step, from_position, to_position, attempt)
       select id, 1, 'started', $2, 'new', $3, 1 from saved`,
      [JSON.stringify(row), step, `${step}.${action}`],
    );
  }

  /** The deadline of a first attempt passes. A last attempt is answered late. An operator acts on a parked saga. */
  async function wake(id: string, { status, step, action, attempt }: SagaState): Promise<void> {
    if (status === 'parked') {
      const headers = { 'idempotency-key': id };
      await app.call('POST', `/sagas/${id}/acts`, { key: callers.operator, body: { act: 'retry' }, headers });
    } else if (!isFinal(status) && attempt > 1) await participants.reply(id, `${step}/${action}`, succeeded);
  }

  async function show(id: string): Promise<string> {
    return (await app.get(`/sagas/${id}`, { key: callers.operator })).json<SagaView>().status;
  }

  const endOf = ({ status, action }: SagaState): string =>
    isFinal(status) ? status : action === 'do' ? 'completed' : 'compensated';
});
