/** One run: a seed, its script, bad times, a calm, and the audit. The same seed is the same run. */
import { seededRandom } from '@shop/testing';
import { audit } from './audit';
import { type Databases, emptyDatabases } from './databases';
import { readRecords } from './records';
import { Scheduler } from './scheduler';
import { type Weights, writeScript } from './script';
import { type Gaps, World } from './world';

export interface Run {
  seed: number;
  /** The choices in their order, each with its consequences. */
  trace: string[];
  /** What became of the orders. */
  ends: string[];
  /** What is wrong at the end. */
  faults: string[];
}

export class Simulation {
  /** No two runs may share a tenant, because the databases are emptied only after a run that went wrong. */
  private static runs = 0;

  constructor(
    private readonly databases: Databases,
    private readonly gaps: Gaps = {},
    /** Replaces what the seeds decide. */
    private readonly weather: Partial<Weights> = {},
  ) {}

  async run(seed: number): Promise<Run> {
    const random = seededRandom(seed);
    const script = writeScript(random, `t${++Simulation.runs}`);
    const weights = { ...script.weights, ...this.weather };
    const world = new World(this.databases, { ...script, weights }, this.gaps);
    await world.furnish();
    const scheduler = new Scheduler(world, random);
    const { ends, faults } = await this.play(world, scheduler);
    if (faults.length > 0) {
      for (const { process } of [...world.replicas]) world.kill(process);
      for (const gate of [...world.stage.gates]) gate.open(gate.ways[0]!);
      await world.stage.quiet();
      await emptyDatabases(this.databases);
    }
    return { seed, trace: scheduler.trace, ends, faults: faults.map((fault) => world.channel.inWords(fault)) };
  }

  /** The first of these seeds that goes wrong, against this rule if one is given. */
  async firstFailure(seeds: Iterable<number>, rule = ''): Promise<Run | undefined> {
    for (const seed of seeds) {
      const run = await this.run(seed);
      if (run.faults.some((fault) => fault.startsWith(rule))) return run;
    }
    return undefined;
  }

  private async play(world: World, scheduler: Scheduler): Promise<Pick<Run, 'ends' | 'faults'>> {
    await scheduler.badTimes();
    if (!(await scheduler.calm())) return { ends: [], faults: ['sagas end: they are still busy'] };
    await scheduler.repeatAll();
    const records = await readRecords(this.databases, world.script.tenant);
    const ends = records.orders.map(({ status, reason }) => (reason ? `${status}, ${reason}` : status));
    return { ends, faults: audit(world, records) };
  }
}

/** For people: the whole trace of a run that went wrong. */
export function tell({ seed, trace, faults }: Run): string {
  return [`seed ${seed}`, ...trace, '', ...faults].join('\n');
}
