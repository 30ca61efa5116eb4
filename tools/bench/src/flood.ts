/** The process of a tenant that sends as much as it can, until it is told to stop. Prints what it was answered as one line of JSON. */
import { Crowd } from './crowd';
import type { FloodOptions } from './flooding';
import { Tenant } from './tenant';

/** So many different orders are made at once. */
const ORDERS = 10_000;

void main(JSON.parse(process.argv[2]!) as FloodOptions);

async function main({ urls, key, options }: FloodOptions): Promise<void> {
  const tenant = new Tenant({ system: { urls, processes: [] }, key, connections: options.concurrency, options });
  const crowd = new Crowd(tenant);
  let stopped = false;
  process.stdin.once('end', () => (stopped = true)).resume();
  const send = async () => {
    while (!stopped) {
      const posting = postings.pop();
      if (posting) await crowd.insist(posting, () => stopped);
      else postings = tenant.postings(ORDERS);
    }
  };
  let postings = tenant.postings(ORDERS);
  await Promise.all(Array.from({ length: options.concurrency }, send));
  await tenant.close();
  const { accepted, turnedAway } = crowd;
  process.stdout.write(`${JSON.stringify({ accepted, turnedAway, faults: crowd.faults() })}\n`);
}
