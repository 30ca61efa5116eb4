import { register } from 'prom-client';
import { Lane } from './lane';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
const measured = async (name: string) => (await register.getSingleMetric(name)!.get()).values;
const valueOf = async (name: string, lane: string, metricName = name) =>
  (await measured(name)).find(
    (one) => one.labels['lane'] === lane && (one as { metricName?: string }).metricName === metricName,
  )?.value;
const depthOf = async (lane: string) =>
  (await measured('lane_depth')).find(({ labels }) => labels['lane'] === lane)?.value;

describe('R50 the metrics of lanes', () => {
  it('R50 tell how much waits in all lanes of a name, and 0 when all is done', async () => {
    const gates: (() => void)[] = [];
    const run = async (batch: number[]) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return batch;
    };
    const lanes = [1, 2].map(() => new Lane<number, number>({ name: 'cranes', run }));
    const first = lanes.map((lane) => lane.submit(1));
    await tick();
    const later = lanes.flatMap((lane) => [lane.submit(2), lane.submit(3)]);
    expect(await depthOf('cranes')).toBe(4);
    gates.splice(0).forEach((open) => open());
    await Promise.all(first);
    await tick();
    gates.splice(0).forEach((open) => open());
    await Promise.all(later);
    await tick();
    expect(await depthOf('cranes')).toBe(0);
  });

  it('R50 tell the size of each batch, and how long its first member has waited', async () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    const lane = new Lane<number, number>({ name: 'boats', run: async (batch) => batch });
    const done = Promise.all([lane.submit(1), lane.submit(2)]);
    clock.mockReturnValue(1_250);
    await done;
    clock.mockRestore();
    expect(await valueOf('lane_batch_size', 'boats', 'lane_batch_size_sum')).toBe(2);
    expect(await valueOf('lane_wait_seconds', 'boats', 'lane_wait_seconds_sum')).toBe(0.25);
    expect(await valueOf('lane_wait_seconds', 'boats', 'lane_wait_seconds_count')).toBe(1);
  });
});
