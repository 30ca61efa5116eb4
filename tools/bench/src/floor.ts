/** The floor: one process that does one single-statement commit per order, and no saga at all. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '@shop/stack';
import { inParallel } from '@shop/system';
import { type Agent, request } from 'undici';

export interface FloorOptions {
  databaseUrl: string;
  orders: number;
  concurrency: number;
  agent: Agent;
}

const WARM_UP = 500;

/** Orders per second. */
export async function measureFloor({ databaseUrl, orders, concurrency, agent }: FloorOptions): Promise<number> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(__dirname, 'floor-server.js'), databaseUrl, String(port)], {
    stdio: 'inherit',
  });
  const url = `http://127.0.0.1:${port}/`;
  const post = async (index: number) => {
    const order = {
      customerId: `customer-${index % 100}`,
      items: [{ sku: 'cup', quantity: 2 }],
      payment: { source: 'tok_ok' },
    };
    const { body } = await request(url, { dispatcher: agent, method: 'POST', body: JSON.stringify(order) });
    await body.text();
  };
  try {
    await untilListening(url);
    await inParallel(indices(WARM_UP), concurrency, post);
    const began = performance.now();
    await inParallel(indices(orders), concurrency, post);
    return orders / ((performance.now() - began) / 1_000);
  } finally {
    child.kill('SIGTERM');
  }
}

const indices = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

async function untilListening(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return;
    if (tries > 200) throw new Error('the floor process does not start');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
