// A TCP proxy that can be cut or stalled, for use between a service and PostgreSQL, NATS or a provider.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '@shop/stack';

export interface TcpProxy {
  /** Stays the same through every fault. */
  readonly port: number;
  /** How many connections go through at the moment. */
  readonly connections: number;
  /** Like a dead host: drops every connection and refuses new ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Like a hanging host: accepts connections and keeps them, but forwards nothing. */
  stall(): void;
  /** Like a firewall that has forgotten the open connections: they stay open and silent, and new ones go through. */
  stallOpen(): void;
  /** Like a host whose answers are lost: forwards what the clients send, and none of the answers. */
  mute(): void;
  /** Forwards again, first what was held back. */
  resume(): void;
  close(): Promise<void>;
}

interface Link {
  client: Socket;
  target: Socket;
}

export async function startTcpProxy(targetHost: string, targetPort: number): Promise<TcpProxy> {
  const port = await freePort();
  const links = new Set<Link>();
  let stalled = false;
  let muted = false;
  let server: Server | undefined;

  function forward({ client, target }: Link): void {
    // A muted link still has this one.
    client.unpipe(target).pipe(target);
    if (!muted) target.pipe(client);
  }

  function accept(client: Socket): void {
    const link = { client, target: connect({ host: targetHost, port: targetPort, noDelay: true }) };
    client.setNoDelay(true);
    links.add(link);
    for (const socket of [link.client, link.target]) {
      // When one side breaks, the other side is closed too. The two ends report the error themselves.
      socket.on('error', () => undefined);
      socket.once('close', () => drop(link));
    }
    if (stalled) hold(link);
    else forward(link);
  }

  function hold({ client, target }: Link): void {
    client.unpipe(target).pause();
    target.unpipe(client).pause();
  }

  function drop(link: Link): void {
    links.delete(link);
    link.client.destroy();
    link.target.destroy();
  }

  async function restore(): Promise<void> {
    if (server !== undefined) return;
    const listener = createServer(accept);
    server = listener;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, '127.0.0.1', resolve);
    });
  }

  async function cut(): Promise<void> {
    const listener = server;
    if (listener === undefined) return;
    server = undefined;
    const closed = new Promise((resolve) => listener.close(resolve));
    for (const link of links) drop(link);
    await closed;
  }

  await restore();
  return {
    port,
    get connections() {
      return links.size;
    },
    cut,
    restore,
    stall() {
      stalled = true;
      links.forEach(hold);
    },
    stallOpen() {
      links.forEach(hold);
    },
    mute() {
      muted = true;
      for (const { client, target } of links) target.unpipe(client).pause();
    },
    resume() {
      stalled = false;
      muted = false;
      links.forEach(forward);
    },
    close: cut,
  };
}
