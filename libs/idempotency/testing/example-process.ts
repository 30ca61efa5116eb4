/** The example as tests run it: a real process that answers over HTTP, and can be killed, stopped and started again. */
import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '@shop/stack';
import { eventually, type RunningProcess, startProcess, typescriptProcess } from '@shop/testing';

/** What a client wants, and the key that it uses for every request about it. */
export interface Wish {
  path: '/notes' | '/parcels';
  key: string;
  body: { text: string } | { to: string };
}

export interface Response {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface ExampleProcess {
  readonly process: RunningProcess;
  /** @param prefer seconds that the client prefers to wait before it asks again */
  ask(wish: Wish, prefer?: number): Promise<Response>;
  /** Asks again while the answer says so. Throws when the connection is lost. */
  insist(wish: Wish, prefer?: number): Promise<Response>;
  /** The state of the key in this process: `processing`, `completed`, or a status for an unknown key. */
  stateOf(key: string): Promise<string>;
}

export interface ExampleProcessOptions {
  databaseUrl: string;
  carrierUrl: string;
  leaseMs: number;
}

/** A process that was stopped inside a transaction may hold its locks for almost this long. */
const INSIST_TIMEOUT_MS = 40_000;
const AS_ALICE = { 'x-tenant': 'acme', 'x-user': 'alice' };

export const noteOf = (text: string): Wish => ({ path: '/notes', key: randomUUID(), body: { text } });
export const parcelFor = (to: string): Wish => ({ path: '/parcels', key: randomUUID(), body: { to } });

export async function startExample(options: ExampleProcessOptions): Promise<ExampleProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const running = await startProcess({
    name: 'example',
    ...typescriptProcess(join(__dirname, 'example-main.ts')),
    env: {
      ...process.env,
      DATABASE_URL: options.databaseUrl,
      CARRIER_URL: options.carrierUrl,
      LEASE_MS: String(options.leaseMs),
      PORT: String(port),
    },
    readyPattern: /the example is ready/,
  });
  const ask = ({ path, key, body }: Wish, prefer?: number): Promise<Response> => {
    const headers: Record<string, string> = {
      ...AS_ALICE,
      'content-type': 'application/json',
      'idempotency-key': key,
      ...(prefer !== undefined && { prefer: `wait=${prefer}` }),
    };
    return send(`${url}${path}`, { method: 'POST', headers }, JSON.stringify(body));
  };
  return {
    process: running,
    ask,
    async insist(wish, prefer) {
      const end = await eventually(
        async () => {
          const heard = await ask(wish, prefer).catch((error: Error) => error);
          if (!('status' in heard) || ![409, 503].includes(heard.status)) return heard;
          throw new Error(`still ${heard.status}: ${heard.body}`);
        },
        { timeoutMs: INSIST_TIMEOUT_MS },
      );
      if (end instanceof Error) throw end;
      return end;
    },
    async stateOf(key) {
      const { status, body } = await send(`${url}/idempotency-keys/${key}`, { method: 'GET', headers: AS_ALICE });
      if (status !== 200) return String(status);
      return (JSON.parse(body) as { requests: { state: string }[] }).requests.map(({ state }) => state).join();
    },
  };
}

/** Each request has its own connection, so that none is left over from a process that is gone. */
function send(
  url: string,
  options: { method: string; headers: Record<string, string> },
  body?: string,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { ...options, agent: false }, (response) => {
      text(response).then(
        (answer) => resolve({ status: response.statusCode!, headers: response.headers, body: answer }),
        reject,
      );
    });
    asking.once('error', reject);
    asking.end(body);
  });
}
