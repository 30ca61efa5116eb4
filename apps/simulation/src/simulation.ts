/** One run: a seed, its script, bad times, a calm, and the audit. The same seed is the same run. */
import { seededRandom } from '@shop/testing';
import { audit, auditAtAnyTime } from './audit';
import { type Databases, emptyDatabases } from './databases';
import { readRecords } from './records';
import { Scheduler } from './scheduler';
import type { Script, Weather, Weights } from './script';
import { writeScript } from './script-shop';
import type { Gaps } from './replicas';
import { World } from './world';

export interface Run {
  seed: number;
  /** The choices in their order, each with its consequences. */
  trace: string[];
  /** What became of the orders. */
  ends: string[];
  /** What became of their deliveries, sorted, because their ids are in another order each time. */
  deliveries: string[];
  /** What is wrong at the end. */
  faults: string[];
}

/** In one of so many seeds, transactions meet in their middle more often. */
const MEETING_EVERY = 6;
const MEETING: Partial<Weights> = { pausedTransactions: 60 };

export class Simulation {
  /** No two runs may share a tenant, because the databases are emptied only after a run that went wrong. */
  private static runs = 0;

  constructor(
    private readonly databases: Databases,
    private readonly gaps: Gaps = {},
    /** Replaces what the seeds decide. */
    private readonly weather: Weather = {},
  ) {}

  async run(seed: number): Promise<Run> {
    const random = seededRandom(seed);
    const script = writeScript(random, `t${++Simulation.runs}`);
    const weather = { ...(seed % MEETING_EVERY === 0 && MEETING), ...this.weather };
    const world = new World(this.databases, under(script, weather), this.gaps);
    await world.furnish();
    const scheduler = new Scheduler(world, random);
    const { ends, faults, deliveries } = await this.withoutChance(() => this.play(world, scheduler));
    if (faults.length > 0) {
      for (const { process } of [...world.replicas]) world.kill(process);
      for (const gate of [...world.stage.gates]) gate.open(gate.ways[0]!);
      await world.stage.quiet();
      await emptyDatabases(this.databases);
    }
    return {
      seed,
      trace: scheduler.trace,
      ends,
      deliveries,
      faults: faults.map((fault) => world.channel.inWords(fault)),
    };
  }

  /** The first of these seeds that goes wrong, against this rule if one is given. */
  async firstFailure(seeds: Iterable<number>, rule = ''): Promise<Run | undefined> {
    for (const seed of seeds) {
      const run = await this.run(seed);
      if (run.faults.some((fault) => fault.startsWith(rule))) return run;
    }
    return undefined;
  }

  /** Delays that chance spreads in the product are the same in each run. */
  private async withoutChance<T>(work: () => Promise<T>): Promise<T> {
    const { random } = Math;
    Math.random = () => 0.5;
    try {
      return await work();
    } finally {
      Math.random = random;
    }
  }

  private async play(world: World, scheduler: Scheduler): Promise<Pick<Run, 'ends' | 'faults' | 'deliveries'>> {
    await scheduler.badTimes();
    const isEnded = await scheduler.calm();
    if (isEnded) await scheduler.repeatAll();
    const records = await readRecords(this.databases, world.script.tenant);
    if (!isEnded)
      return {
        ends: [],
        deliveries: [],
        faults: ['sagas end: they are still busy', ...auditAtAnyTime(records, world.holds)],
      };
    const ends = records.orders.map(({ status, reason, cancellation_refused }) =>
      [status, cancellation_refused ?? reason].filter(Boolean).join(', '),
    );
    const deliveries = records.after.deliveries.map(({ status }) => status).sort();
    return { ends, deliveries, faults: audit(world, records) };
  }
}

function under(script: Script, { after: afterWeights, ...weights }: Weather): Script {
  const after = script.after && { ...script.after, weights: { ...script.after.weights, ...afterWeights } };
  return { ...script, weights: { ...script.weights, ...weights }, after };
}

/** For people: the whole trace of a run that went wrong. */
export function tell({ seed, trace, faults }: Run): string {
  return [`seed ${seed}`, ...trace, '', ...faults].join('\n');
}
