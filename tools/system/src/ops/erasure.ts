/** Carries out `npm run ops -- erase …`: asks all services, one after the other, and prints what they report. */
import { ownServices } from '../services';
import { ask, serviceIn } from './ask';
import type { ErasureCommand } from './command-line';
import { tableOf } from './table';

interface Erasure {
  erased: { table: string; what: string; rows: number }[];
}

/** A service walks through all orders of the tenant. */
const TIMEOUT_MS = 240_000;
const heads = ['SERVICE', 'TABLE', 'ROWS', 'WHAT'];

/** The order service first: it refuses while orders are open, and then nothing is erased anywhere. @throws OpsError */
export async function runErasure({ verb, id }: ErasureCommand, env: NodeJS.ProcessEnv): Promise<string[]> {
  const body = verb === 'customer' ? { customerId: id } : { tenant: id };
  const first = [...ownServices].sort((a, b) => Number(b === 'order') - Number(a === 'order'));
  const rows: string[][] = [];
  for (const name of first) {
    const service = serviceIn(env, name, TIMEOUT_MS);
    const { body: report } = await ask(service, (api) => api.post<Erasure>(`/erasures/${verb}`, body));
    rows.push(...report.erased.map(({ table, what, rows: count }) => [name, table, String(count), what]));
  }
  return tableOf([heads, ...rows]);
}
