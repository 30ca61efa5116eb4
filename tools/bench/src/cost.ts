/** What a piece of work cost: CPU by process from /proc, commits and WAL from PostgreSQL. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { serviceNames, type System } from '@shop/system';
import { Client } from 'pg';

export interface Cost {
  /** CPU milliseconds per order by process; empty where there is no /proc. */
  cpuMs: Record<string, number>;
  cpuMsTotal: number;
  commitsPerOrder: number;
  walBytesPerOrder: number;
  /** Largest resident memory of a service so far, MiB. */
  peakMiB: Record<string, number>;
}

/** The kernel's clock tick for /proc/PID/stat on every Linux that Node runs on. */
const MS_PER_TICK = 10;
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
    const before = { cpu: cpuOf(system), database: await databaseOf(client) };
    const began = performance.now();
    await work();
    const seconds = (performance.now() - began) / 1_000;
    const after = { cpu: cpuOf(system), database: await databaseOf(client) };
    const cpuMs = Object.fromEntries(
      Object.entries(after.cpu).map(([name, ms]) => [name, (ms - (before.cpu[name] ?? 0)) / orders]),
    );
    const cost = {
      cpuMs,
      cpuMsTotal: Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0),
      commitsPerOrder: (after.database.commits - before.database.commits) / orders,
      walBytesPerOrder: (after.database.walBytes - before.database.walBytes) / orders,
      peakMiB: peakMemoryOf(system),
    };
    return { cost, seconds };
  } finally {
    await client.end();
  }
}

/** CPU milliseconds so far, by process; PostgreSQL with all its backends, living and gone. */
function cpuOf(system: System): Record<string, number> {
  if (!existsSync('/proc/self/stat')) return {};
  const used: Record<string, number> = {};
  for (const name of serviceNames) used[name] = ownCpu(system.services[name].pid);
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

function peakMemoryOf(system: System): Record<string, number> {
  const peak = (pid: number | undefined): number => {
    try {
      return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024);
    } catch {
      return 0;
    }
  };
  return Object.fromEntries(serviceNames.map((name) => [name, peak(system.services[name].pid)]));
}

async function databaseOf(client: Client): Promise<{ commits: number; walBytes: number }> {
  // Backends report what they did with a delay; this reads the newest there is.
  await client.query('select pg_stat_clear_snapshot()');
  const { rows } = await client.query<{ commits: string; wal: string }>(
    `select sum(xact_commit) as commits, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as wal from pg_stat_database`,
  );
  return { commits: Number(rows[0]!.commits), walBytes: Number(rows[0]!.wal) };
}
