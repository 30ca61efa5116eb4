// Run by Jest before all test files: offers one PostgreSQL and NATS to all test files, and starts them when the first one asks.
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
// Jest does not map the names of our packages for this file, and their builds may be missing when tests run.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { startStack, type Stack } from '../../../tools/stack/src/index';
import { dropDatabasesOfRun } from './admin';

interface Offer {
  server: Server;
  starting: Promise<Stack> | undefined;
  run: string;
}

// Jest loads the teardown as a module of its own; the two share only the process.
const shared = globalThis as { shopTestStack?: Offer };

export default async function globalSetup(): Promise<void> {
  const token = randomBytes(16).toString('hex');
  const offer: Offer = { server: createServer(), starting: undefined, run: randomBytes(4).toString('hex') };
  offer.server.on('request', (request, response) => {
    // The answer holds a password, and the port is open to everyone on this machine.
    if (request.url !== `/${token}`) return void response.writeHead(404).end();
    // Started once: when it fails, every suite that asks fails at once with the same sentence.
    offer.starting ??= startStack({ databases: [], durable: false });
    offer.starting.then(
      ({ adminUrl, natsUrl }) => response.end(JSON.stringify({ adminUrl, natsUrl })),
      (error: unknown) => response.writeHead(500).end(explain(error)),
    );
  });
  // Test files ask from other processes. Their environment has the address of this one.
  await new Promise<void>((resolve) => offer.server.listen(0, '127.0.0.1', resolve));
  offer.server.unref();
  process.env.SHOP_TEST_STACK = `http://127.0.0.1:${(offer.server.address() as AddressInfo).port}/${token}`;
  process.env.SHOP_TEST_RUN = offer.run;
  shared.shopTestStack = offer;
}

export async function stopOffer(): Promise<void> {
  const offer = shared.shopTestStack;
  delete shared.shopTestStack;
  if (offer === undefined) return;
  offer.server.closeAllConnections();
  offer.server.close();
  const stack = await offer.starting?.catch(() => undefined);
  if (stack === undefined) return;
  try {
    // Our own server is deleted with all its databases; a server that was given has to be left as it was.
    if (stack.postgresPid() === undefined) await dropDatabasesOfRun(stack.adminUrl, offer.run);
  } finally {
    await stack.stop();
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} Cause: ${explain(error.cause)}`;
}
