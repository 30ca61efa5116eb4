/** What a piece of work cost: CPU by process from /proc, commits and WAL from PostgreSQL, statements from the services. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { serviceNames, type System } from '@shop/system';
import { Client } from 'pg';
import { pause } from './load';
import { statementsOf } from './statements';

export interface Cost {
  /** CPU milliseconds per order by name, all replicas of a service together; empty where there is no /proc. */
  cpuMs: Record<string, number>;
  cpuMsTotal: number;
  commitsPerOrder: number;
  walBytesPerOrder: number;
  /** Undefined where the services do not count it. */
  statementsPerOrder: number | undefined;
  roundTripsPerOrder: number | undefined;
  /** Largest resident memory of a process of the service so far, MiB. */
  peakMiB: Record<string, number>;
}

/** The kernel's clock tick for /proc/PID/stat on every Linux that Node runs on. */
const MS_PER_TICK = 10;
/** The services may give out metrics that are this old: those of before short work would be read behind it again. */
const METRICS_KEPT_MS = 1_100;
/** The value for /proc/PID/clear_refs that resets the peak to the current size. */
const RESET_PEAK = '5';
/** Fields of /proc/PID/stat behind the command's name, counted from its closing bracket. */
const STAT = { parent: 1, userTime: 11, systemTime: 12, childrenUser: 13, childrenSystem: 14 };

export async function measureCost(
  system: System,
  orders: number,
  work: () => Promise<void>,
): Promise<{ cost: Cost; seconds: number }> {
  const client = new Client({ connectionString: system.stack.adminUrl });
  await client.connect();
  try {
    const before = { statements: await statementsOf(system), database: await databaseOf(client), cpu: cpuOf(system) };
    const began = performance.now();
    await work();
    const seconds = (performance.now() - began) / 1_000;
    const used = { cpu: cpuOf(system), database: await databaseOf(client) };
    await pause(Math.max(0, METRICS_KEPT_MS - seconds * 1_000));
    const after = { ...used, statements: await statementsOf(system) };
    const cpuMs = Object.fromEntries(
      Object.entries(after.cpu).map(([name, ms]) => [name, (ms - (before.cpu[name] ?? 0)) / orders]),
    );
    const cost = {
      cpuMs,
      cpuMsTotal: Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0),
      commitsPerOrder: (after.database.commits - before.database.commits) / orders,
      walBytesPerOrder: (after.database.walBytes - before.database.walBytes) / orders,
      statementsPerOrder: perOrder(before.statements.statements, after.statements.statements, orders),
      roundTripsPerOrder: perOrder(before.statements.roundTrips, after.statements.roundTrips, orders),
      peakMiB: peakMemoryOf(system),
    };
    return { cost, seconds };
  } finally {
    await client.end();
  }
}

const perOrder = (before: number | undefined, after: number | undefined, orders: number): number | undefined =>
  before === undefined || after === undefined ? undefined : (after - before) / orders;

/** CPU milliseconds so far, by name; PostgreSQL with all its backends, running and ended. */
function cpuOf(system: System): Record<string, number> {
  if (!existsSync('/proc/self/stat')) return {};
  const used: Record<string, number> = {};
  for (const { name, pid } of system.processes) used[name] = (used[name] ?? 0) + ownCpu(pid);
  used['nats'] = ownCpu(system.stack.natsPid());
  used['postgres'] = treeCpu(system.stack.postgresPid());
  return used;
}

function statOf(pid: number | undefined): number[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    return undefined;
  }
}

function ownCpu(pid: number | undefined): number {
  const stat = statOf(pid);
  return stat ? (stat[STAT.userTime]! + stat[STAT.systemTime]!) * MS_PER_TICK : 0;
}

function treeCpu(root: number | undefined): number {
  const stat = statOf(root);
  if (!stat) return 0;
  const gone = (stat[STAT.childrenUser]! + stat[STAT.childrenSystem]!) * MS_PER_TICK;
  const children = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && statOf(Number(name))?.[STAT.parent] === root,
  );
  return ownCpu(root) + gone + children.reduce((sum, pid) => sum + ownCpu(Number(pid)), 0);
}

/** Resets the peaks; where the kernel does not allow that, they count from the start of the process. */
export function forgetPeakMemory(system: System): void {
  for (const { pid } of system.processes) {
    try {
      if (pid !== undefined) writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK);
    } catch {
      return;
    }
  }
}

export function peakMemoryOf(system: System): Record<string, number> {
  const peak = (pid: number | undefined): number => {
    try {
      return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024);
    } catch {
      return 0;
    }
  };
  const peakOf = (service: string): number =>
    Math.max(...system.processes.filter(({ name }) => name === service).map(({ pid }) => peak(pid)));
  return Object.fromEntries(serviceNames.map((name) => [name, peakOf(name)]));
}

async function databaseOf(client: Client): Promise<{ commits: number; walBytes: number }> {
  // Backends report their work with a delay; this reads the newest report.
  await client.query('select pg_stat_clear_snapshot()');
  const { rows } = await client.query<{ commits: string; wal: string }>(
    `select sum(xact_commit) as commits, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as wal from pg_stat_database`,
  );
  return { commits: Number(rows[0]!.commits), walBytes: Number(rows[0]!.wal) };
}
