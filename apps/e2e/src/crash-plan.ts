/** Tells the killers inside the services where to die, and reads from their counts how often each instant was passed. */
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceName, SystemOptions } from '@shop/system';

/** The services that keep books. */
export const mortals = ['fulfilment', 'payment', 'inventory', 'order'] as const satisfies ServiceName[];
export type Mortal = (typeof mortals)[number];

const everywhere = ['commit.before', 'commit.sent', 'commit.after', 'publish.before', 'publish.after'];
const acks = ['ack.before', 'ack.after'];
/** Every kind of instant of each service, in the stories when no process dies. */
export const instantsOf: Record<Mortal, readonly string[]> = {
  payment: [...everywhere, ...acks, 'call.before', 'call.after'],
  inventory: [...everywhere, ...acks],
  // Its calls stand between two commits.
  fulfilment: [...everywhere, ...acks],
  // Its replies come the short way, where nothing is acknowledged.
  order: everywhere,
};

export interface Arm {
  id: string;
  service: Mortal;
  instant: string;
  /** The passes that kill, counted from 1. An arm without any only counts. */
  passes: number[];
  /** Only passes about orders and sagas made from this time on count, in milliseconds, … */
  since: number;
  /** … until this time. */
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

  /** Adds arms for the orders and sagas that are made from now on, until `closeAll`. */
  add(targets: readonly Pick<Arm, 'service' | 'instant' | 'passes'>[]): Arm[] {
    const since = Date.now();
    const arms = targets.map((target) => ({ ...target, id: `arm-${++this.made}`, since }));
    for (const { id } of arms) writeFileSync(join(this.folder, id), '');
    this.arms.push(...arms);
    this.write();
    return arms;
  }

  /** The arms ignore orders and sagas that are made from now on. Arms whose last pass is over are removed. */
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

  /** Writes the file whole or not at all, because it is read at every instant. */
  private write(): void {
    const file = join(this.folder, 'plan.json');
    writeFileSync(`${file}.new`, JSON.stringify(this.arms));
    renameSync(`${file}.new`, file);
  }
}
