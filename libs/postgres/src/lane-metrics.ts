/** What is measured of the lanes, by name: how much waits, how large the batches are, and how long a member waits. */
import { gaugeReadLate, histogram } from '@shop/observability';

const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128];
const WAIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const sizes = histogram('lane_batch_size', 'Members of a batch of a lane', ['lane'], BATCH_SIZES);
const waits = histogram(
  'lane_wait_seconds',
  'How long the member of a batch that came first has waited for its turn',
  ['lane'],
  WAIT_SECONDS,
);

interface Measured {
  readonly name: string;
  readonly depth: number;
}

/** Lanes that have never had work have no line. Names are written in the code, so there are few. */
const names = new Set<string>();

/** @param busy the lanes that have work at the moment; the others are empty */
export function measureDepthOf(busy: ReadonlySet<Measured>): void {
  gaugeReadLate('lane_depth', 'Members that wait for their turn in a lane', ['lane'], (set) => {
    for (const lane of names) set({ lane }, 0);
    const depths = new Map<string, number>();
    for (const { name, depth } of busy) depths.set(name, (depths.get(name) ?? 0) + depth);
    for (const [lane, depth] of depths) set({ lane }, depth);
  });
}

export function measureBatch(lane: string, size: number, longestWaitMs: number): void {
  names.add(lane);
  sizes.observe({ lane }, size);
  waits.observe({ lane }, longestWaitMs / 1_000);
}
