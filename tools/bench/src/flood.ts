/** The process of a tenant that sends as much as it can, until it is told to stop. Prints what it was answered as one line of JSON. */
import { Crowd } from './crowd';
import type { FloodOptions } from './flooding';
import type { FloodKind } from './options';
import { Tenant } from './tenant';

/** So many different orders are made at once. */
const ORDERS = 10_000;
/** The longest page. */
const LIST = '/orders?limit=200';

void main(JSON.parse(process.argv[2]!) as FloodOptions);

async function main({ urls, key, options }: FloodOptions): Promise<void> {
  const tenant = new Tenant({ system: { urls, processes: [] }, key, connections: options.concurrency, options });
  const crowd = new Crowd(tenant);
  let stopped = false;
  process.stdin.once('end', () => (stopped = true)).resume();
  const givenUp = () => stopped;
  let postings = tenant.postings(ORDERS);
  const next = () => {
    if (postings.length === 0) postings = tenant.postings(ORDERS);
    return postings.pop()!;
  };
  const same = next();
  const acts: Record<FloodKind, () => Promise<unknown>> = {
    orders: () => crowd.insist(next(), givenUp),
    repeats: () => crowd.insist(same, givenUp),
    lists: () => crowd.ask('GET', LIST),
    cancels: async () => {
      const id = await crowd.insist(next(), givenUp);
      if (id) await crowd.ask('DELETE', `/orders/${id}`);
    },
  };
  const send = async () => {
    while (!stopped) await acts[options.flood]();
  };
  await Promise.all(Array.from({ length: options.concurrency }, send));
  await tenant.close();
  const { accepted, turnedAway } = crowd;
  process.stdout.write(`${JSON.stringify({ accepted, turnedAway, faults: crowd.faults() })}\n`);
}
