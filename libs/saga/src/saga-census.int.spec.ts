import { type Logger } from '@shop/observability';
import { eventually } from '@shop/testing';
import { register } from 'prom-client';
import { journeyV1, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { beginOn, useSagaStack } from '../testing/sagas';
import { SagaCensus } from './saga-census';

const stack = useSagaStack();
let replica: Replica;

beforeAll(async () => {
  replica = await openReplica(stack.databaseUrl, { definitions: [journeyV1] });
});
afterAll(async () => {
  await replica.deadlines.stop();
  await replica.database.close();
});

const logger = { warn: () => undefined } as unknown as Logger;

async function valuesOf(metric: string): Promise<Record<string, number>> {
  const { values } = await register.getSingleMetric(metric)!.get();
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

describe('R50 the census of open sagas', () => {
  it('R50 tells how many are where, how old the oldest is, and how long none of them has moved', async () => {
    const ids = [
      await beginOn(replica, journeyV1),
      await beginOn(replica, journeyV1),
      await beginOn(replica, journeyV1),
    ];
    await replica.engine.receive(replyTo(ids[2]!, 'flight.do'));
    const age = (id: string, created: string, moved: string) =>
      replica.database.query(
        {
          name: 'test.age',
          text: `update saga set created_at = now() - $2::interval, updated_at = now() - $3::interval where id = $1::uuid`,
        },
        [id, created, moved],
      );
    await age(ids[0]!, '3 hours', '2 hours');
    await age(ids[1]!, '2 hours', '1 hour');
    const census = new SagaCensus({ database: replica.database, engine: replica.engine, logger });
    census.start();
    await census.stop();
    const place = 'journey flight do running';
    expect(await valuesOf('saga_open')).toEqual({ [place]: 2, 'journey hotel do running': 1 });
    const { [place]: oldest } = await valuesOf('saga_open_oldest_seconds');
    const { [place]: still } = await valuesOf('saga_open_still_seconds');
    expect([Math.floor(oldest! / 3_600), Math.floor(still! / 3_600)]).toEqual([3, 1]);
  });

  it('R50 goes on to report 0 for a place that has become empty', async () => {
    const census = new SagaCensus({ database: replica.database, engine: replica.engine, logger, intervalMs: 10 });
    census.start();
    await beginOn(replica, journeyV1);
    const total = async () => Object.values(await valuesOf('saga_open')).reduce((sum, sagas) => sum + sagas, 0);
    await eventually(async () => expect(await total()).toBeGreaterThan(0));
    await replica.database.query({ name: 'test.end', text: `update saga set status = 'compensated'` });
    await eventually(async () => expect(await total()).toBe(0));
    expect(await valuesOf('saga_open')).toHaveProperty(['journey flight do running'], 0);
    await census.stop();
  });
});

describe('R50 the ends of sagas', () => {
  it('R50 are counted with their reason, and with how long they took', async () => {
    const id = await beginOn(replica, journeyV1);
    await replica.engine.receive(replyTo(id, 'flight.do', refused('fully_booked')));
    expect((await valuesOf('saga_ended_total'))['journey compensated fully_booked']).toBe(1);
    const { values } = await register.getSingleMetric('saga_duration_seconds')!.get();
    const count = values.find((one) => (one as { metricName?: string }).metricName === 'saga_duration_seconds_count');
    expect(count).toMatchObject({ labels: { saga: 'journey', status: 'compensated' }, value: 1 });
  });
});
