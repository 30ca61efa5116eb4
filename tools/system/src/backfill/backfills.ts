/** The backfills of all services, over their APIs. */
import { ask, type Asked, OpsError, serviceIn } from '../ops/ask';
import { ownServices } from '../services';

/** What a service tells of a backfill. */
export interface Backfill {
  name: string;
  title: string;
  status: 'idle' | 'running' | 'paused' | 'done' | 'failed';
  runs: number;
  worked: number;
  estimate: number | null;
  ratePerSecond: number;
  lastError: string | null;
  startedAt: string | null;
  workedAt: string | null;
  endedAt: string | null;
}

export interface Found {
  service: Asked;
  backfill: Backfill;
}

export interface Wish {
  status: 'running' | 'paused';
  ratePerSecond?: number;
  run?: number;
}

interface BackfillPage {
  items: Backfill[];
  next: string | null;
}

/** With the sentences of those services that did not answer. */
export async function allBackfills(env: NodeJS.ProcessEnv): Promise<{ found: Found[]; away: OpsError[] }> {
  const answers = await Promise.allSettled(ownServices.map((name) => backfillsOf(serviceIn(env, name))));
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const away = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  for (const error of away) if (!(error instanceof OpsError)) throw error;
  return { found, away: away as OpsError[] };
}

/** A service that has none knows no such address. */
async function backfillsOf(service: Asked): Promise<Found[]> {
  const found: Found[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const path: string = `/backfills?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const { status, body } = await ask(service, (api) => api.get<BackfillPage>(path), [200, 404]);
    if (status === 404) return [];
    found.push(...body.items.map((backfill) => ({ service, backfill })));
    cursor = body.next;
  }
  return found;
}

/** @throws OpsError */
export async function findBackfill(env: NodeJS.ProcessEnv, name: string): Promise<Found> {
  const { found, away } = await allBackfills(env);
  const [match, ...others] = found.filter(({ backfill }) => backfill.name === name);
  if (others.length > 0) throw new OpsError(`More than one service has a backfill ${name}; stop asking one of them.`);
  if (match) return match;
  if (away.length > 0) throw away[0]!;
  const names = found.map(({ backfill }) => backfill.name).join(', ');
  throw new OpsError(`No service has a backfill ${name}; ${names ? `there are ${names}` : 'there is none'}.`);
}

export async function readAgain({ service, backfill }: Found): Promise<Backfill> {
  return (await ask(service, (api) => api.get<Backfill>(pathOf(backfill)))).body;
}

export async function tell({ service, backfill }: Found, wish: Wish): Promise<Backfill> {
  return (await ask(service, (api) => api.put<Backfill>(pathOf(backfill), wish))).body;
}

const pathOf = ({ name }: Backfill): string => `/backfills/${encodeURIComponent(name)}`;
