// What the stack needs from a NATS server, whoever runs it.
import { connect } from 'node:net';
import { refuseFault } from './postgres';
import { StackError } from './stack-error';

const GREETING_TIMEOUT_MS = 5_000;
const DEFAULT_PORT = 4222;

export interface NatsServer {
  readonly url: string;
  readonly monitorUrl: string | undefined;
  pid(): number | undefined;
  /** Kills it without warning. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Forgets every stream; a server that ran before runs again afterwards. */
  wipe(): Promise<void>;
  stop(): Promise<void>;
}

/** Who may use the server. */
export interface NatsAccess {
  /** In the language of its configuration file. */
  configuration: string;
  /** Of the user who may do everything: the address of the stack names it. */
  operator: { user: string; password: string };
}

export function accessUrl(address: string, access: NatsAccess | undefined): string {
  const { user, password } = access?.operator ?? {};
  return user === undefined ? `nats://${address}` : `nats://${user}:${password}@${address}`;
}

/** The client of NATS takes no user from an address. */
export function natsLogin(url: string): { servers: string; user?: string; pass?: string } {
  if (!url.includes('@')) return { servers: url };
  const { host, username, password, protocol } = new URL(url);
  return { servers: `${protocol}//${host}`, user: username, pass: password };
}

/** Checks that the server answers, or throws a sentence on what is wrong with NATS_URL. */
export async function givenNats(url: string): Promise<NatsServer> {
  try {
    // NATS_URL may name several servers of a cluster; one that answers is enough.
    const first = url.split(',')[0]?.trim() ?? '';
    const { hostname, port } = new URL(first.includes('://') ? first : `nats://${first}`);
    await natsGreeting(hostname, port === '' ? DEFAULT_PORT : Number(port));
  } catch (error) {
    throw new StackError('The NATS server named by NATS_URL does not answer; start it or unset NATS_URL.', error);
  }
  return natsWithoutFaults({ url, monitorUrl: undefined, stop: async () => undefined });
}

export function natsWithoutFaults(server: Pick<NatsServer, 'url' | 'monitorUrl' | 'stop'>): NatsServer {
  return { ...server, pid: () => undefined, kill: refuseFault, start: refuseFault, wipe: refuseFault };
}

/** The first thing that the server sends to each client. It does so only after JetStream has recovered its streams. */
export function natsGreeting(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: GREETING_TIMEOUT_MS });
    let text = '';
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error(`no greeting from ${host}:${port}`)));
    socket.once('close', () => fail(new Error(`${host}:${port} closed the connection`)));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      if (!text.includes('\r\n')) return;
      if (!text.startsWith('INFO ')) return fail(new Error(`${host}:${port} is not a NATS server`));
      resolve(text);
      socket.destroy();
    });
  });
}
