/** A real Prometheus with the rules of `ops`, which watches a system of a test. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPrometheus, freePort, startGuard } from '@shop/stack';
import { eventually } from '@shop/testing';
import { ROOT } from './metrics-text';

const START_TIMEOUT_MS = 60_000;
/** So that a test need not wait for minutes. The conditions of the alerts stay as they are. */
const SCRAPE_EVERY = '1s';
const FIRE_AFTER = '2s';

export interface FiringAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface Prometheus {
  url: string;
  /** The alerts that fire now. */
  firing(): Promise<FiringAlert[]>;
  /** The values of an expression now. */
  query(expr: string): Promise<number[]>;
  stop(): Promise<void>;
}

/** @param targets host and port of the metrics of each job of `ops/prometheus/prometheus.yml` that runs here */
export async function startPrometheus(targets: Record<string, string>): Promise<Prometheus> {
  const program = await findPrometheus('prometheus');
  const folder = mkdtempSync(join(tmpdir(), 'shop-prometheus-'));
  const port = await freePort();
  const read = (name: string) => readFileSync(join(ROOT, 'ops/prometheus', name), 'utf8');
  const at = (job: string) => targets[job] ?? (job === 'localhost' ? `127.0.0.1:${port}` : '127.0.0.1:1');
  const configuration = read('prometheus.yml')
    .replaceAll(/'(\w+):\d+'/g, (_, job: string) => `'${at(job)}'`)
    .replace(/scrape_timeout: \w+/, `scrape_timeout: ${SCRAPE_EVERY}`)
    .replaceAll(/(scrape|evaluation)_interval: \w+/g, `$1_interval: ${SCRAPE_EVERY}`);
  writeFileSync(join(folder, 'prometheus.yml'), configuration);
  writeFileSync(join(folder, 'rules.yml'), read('rules.yml').replaceAll(/for: \w+/g, `for: ${FIRE_AFTER}`));
  const guard = startGuard();
  guard.remove(folder);
  const child = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-2_000)));
  guard.watch(child.pid!, 'SIGKILL');
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${url}${path}`);
    if (!answer.ok) throw new Error(`Prometheus answered ${answer.status}: ${await answer.text()}`);
    return ((await answer.json()) as { data: T }).data;
  };
  const stop = async () => {
    child.kill('SIGKILL');
    await gone;
    guard.forget(child.pid!);
    rmSync(folder, { recursive: true, force: true });
    await guard.close();
  };
  try {
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(said);
        expect((await fetch(`${url}/-/ready`)).ok).toBe(true);
      },
      { timeoutMs: START_TIMEOUT_MS },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    stop,
    async firing() {
      const { alerts } = await get<{ alerts: (FiringAlert & { state: string })[] }>('/api/v1/alerts');
      return alerts.filter(({ state }) => state === 'firing');
    },
    async query(expr) {
      const { result } = await get<{ result: { value: [number, string] }[] }>(
        `/api/v1/query?query=${encodeURIComponent(expr)}`,
      );
      return result.map(({ value }) => Number(value[1]));
    },
  };
}
