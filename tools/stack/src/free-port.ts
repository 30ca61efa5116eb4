// Finds TCP ports on 127.0.0.1 and says clearly when a requested port is taken.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { StackError } from './stack-error';

// Below the range from which systems take ports for outgoing connections. Inside it, a client that keeps trying to reach
// a server that is down may be given the server's own port and connect to itself, and the server could not come back.
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;

/** Enough attempts to find a free port on any machine that has one. */
const MAX_TRIES = 200;

// Two callers in one process must not be given the same port while neither listens on it yet.
const handedOut = new Set<number>();

/** Finds a TCP port on 127.0.0.1 on which nothing listens; never the same one twice in a process. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (handedOut.has(port)) continue;
    if (!(await isPortFree(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new StackError(
    `No free port was found on 127.0.0.1 between ${FIRST_PORT} and ${LAST_PORT}; stop what uses them.`,
  );
}

/** Refuses a port on which something listens already; `server` is the name of the one that asks for it. */
export async function assertPortFree(port: number, server: string): Promise<void> {
  if (await isPortFree(port)) return;
  throw portTaken(port, server);
}

export function portTaken(port: number, server: string, cause?: unknown): StackError {
  return new StackError(
    `Port ${port} on 127.0.0.1, asked for ${server}, is taken; stop what listens there or choose another port.`,
    cause,
  );
}

/** False also for a number that is not a port. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    try {
      probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
    } catch {
      resolve(false);
    }
  });
}
