/** Tells the killers inside the services where to die, and reads from their counts how often each instant was passed. */
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceName, SystemOptions } from '@shop/system';

/** The services that keep books. */
export const mortals = ['payment', 'inventory', 'order'] as const satisfies ServiceName[];
export type Mortal = (typeof mortals)[number];

const everywhere = ['commit.before', 'commit.sent', 'commit.after', 'publish.before', 'publish.after'];
const acks = ['ack.before', 'ack.after'];
/** Every kind of instant of each service, in the stories as they are told while nobody dies. */
export const instantsOf: Record<Mortal, readonly string[]> = {
  payment: [...everywhere, ...acks, 'call.before', 'call.after'],
  inventory: [...everywhere, ...acks],
  // The replies to it take the short way, where nothing is acknowledged.
  order: everywhere,
};

export interface Arm {
  id: string;
  service: Mortal;
  instant: string;
  /** Counted from 1; none of them only counts. */
  passes: number[];
  /** Passes count that are about orders and sagas born from here, in milliseconds, … */
  since: number;
  /** … to here. */
  until?: number;
}

const KILLER = join(__dirname, 'killer.cjs');

export class CrashPlan {
  private readonly folder = mkdtempSync(join(tmpdir(), 'shop-crash-'));
  private arms: Arm[] = [];
  private made = 0;

  constructor() {
    this.write();
  }

  /** What the system has to be started with. */
  get options(): Pick<SystemOptions, 'env' | 'nodeOptions'> {
    const nodeOptions = Object.fromEntries(mortals.map((name) => [name, ['-r', KILLER]]));
    return { env: { CRASH_FOLDER: this.folder }, nodeOptions };
  }

  /** From now on, for the orders and sagas that are born from now on until `closeAll`. */
  add(targets: readonly Pick<Arm, 'service' | 'instant' | 'passes'>[]): Arm[] {
    const since = Date.now();
    const arms = targets.map((target) => ({ ...target, id: `arm-${++this.made}`, since }));
    for (const { id } of arms) writeFileSync(join(this.folder, id), '');
    this.arms.push(...arms);
    this.write();
    return arms;
  }

  /** What is born from now on is none of the arms' business; those whose last pass is over are put away. */
  closeAll(): void {
    for (const arm of this.arms) arm.until ??= Date.now();
    this.arms = this.arms.filter((arm) => this.passesOf(arm) < (arm.passes.at(-1) ?? 0));
    this.write();
  }

  passesOf({ id }: Arm): number {
    return statSync(join(this.folder, id)).size;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Whole or not at all, for it is read at every instant. */
  private write(): void {
    const file = join(this.folder, 'plan.json');
    writeFileSync(`${file}.new`, JSON.stringify(this.arms));
    renameSync(`${file}.new`, file);
  }
}
