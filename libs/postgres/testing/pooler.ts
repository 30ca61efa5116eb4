/**
 * A pooler for tests. It gives its clients sessions of a real server as PgBouncer does: for as long as they stay, or
 * for one transaction. As PgBouncer, it refuses parameters of the start that it does not know.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { Client } from 'pg';

export interface PoolerOptions {
  mode: 'session' | 'transaction';
  /** Who gets the next transaction: the session that was used last (PgBouncer's usual way), or the first. */
  next?: 'last' | 'first';
  /** How many sessions it may open. */
  size?: number;
}

export interface Pooler {
  /** Of the same database, through the pooler. */
  url: string;
  close(): Promise<void>;
}

/** What PgBouncer takes from a client. */
const KNOWN = ['user', 'database', 'application_name', 'client_encoding', 'datestyle', 'timezone'];

export async function startPooler(databaseUrl: string, options: PoolerOptions): Promise<Pooler> {
  const pool = new Pool(databaseUrl, options);
  const server = createServer((socket) => new Guest(socket, pool, options.mode));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return { url: url.href, close: () => close(server, pool) };
}

async function close(server: Server, pool: Pool): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  pool.close();
  await closed;
}

/** A session of the server; the driver has logged in, and then its socket is ours. */
class Session {
  onMessage?: (type: string, message: Buffer) => void;

  private constructor(readonly socket: Socket) {
    const read = readMessages(1, (message) => this.onMessage?.(String.fromCharCode(message[0]!), message));
    socket.removeAllListeners('data').on('data', read);
  }

  static async open(url: string): Promise<Session> {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    return new Session((client as unknown as { connection: { stream: Socket } }).connection.stream);
  }
}

class Pool {
  readonly guests = new Set<Socket>();
  private readonly free: Session[] = [];
  private readonly all: Session[] = [];
  private readonly waiting: ((session: Session) => void)[] = [];
  private opened = 0;

  constructor(
    private readonly url: string,
    private readonly options: PoolerOptions,
  ) {}

  async take(): Promise<Session> {
    const session = this.options.next === 'first' ? this.free.shift() : this.free.pop();
    if (session) return session;
    if (this.opened >= (this.options.size ?? Infinity)) return new Promise((resolve) => this.waiting.push(resolve));
    this.opened++;
    const fresh = await Session.open(this.url);
    this.all.push(fresh);
    return fresh;
  }

  giveBack(session: Session): void {
    session.onMessage = undefined;
    const next = this.waiting.shift();
    if (next) next(session);
    else this.free.push(session);
  }

  /** A client that leaves takes its session along, so nothing of it remains. */
  end(session: Session): void {
    session.socket.destroy();
    this.opened--;
  }

  close(): void {
    for (const guest of this.guests) guest.destroy();
    for (const { socket } of this.all) socket.destroy();
  }
}

/** One client of the pooler. */
class Guest {
  private session?: Promise<Session>;
  private started = false;

  constructor(
    private readonly socket: Socket,
    private readonly pool: Pool,
    private readonly mode: PoolerOptions['mode'],
  ) {
    pool.guests.add(socket);
    const readStart = readMessages(0, (message) => this.start(message));
    const readOn = readMessages(1, (message) => void this.forward(message));
    socket.on('data', (bytes: Buffer) => (this.started ? readOn : readStart)(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      pool.guests.delete(socket);
      void this.session?.then((session) => pool.end(session));
    });
  }

  private start(message: Buffer): void {
    const words = message.subarray(8).toString().split('\0');
    const unknown = words.find((word, index) => index % 2 === 0 && word && !KNOWN.includes(word.toLowerCase()));
    if (unknown !== undefined) {
      const error = `SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: ${unknown}\0\0`;
      this.socket.end(messageOf('E', Buffer.from(error)));
      return;
    }
    this.started = true;
    const welcome = Buffer.alloc(4);
    this.socket.write(Buffer.concat([messageOf('R', welcome), messageOf('Z', Buffer.from('I'))]));
  }

  private async forward(message: Buffer): Promise<void> {
    if (message[0] === 'X'.charCodeAt(0)) return void this.socket.end();
    this.session ??= this.take();
    (await this.session).socket.write(message);
  }

  private async take(): Promise<Session> {
    const session = await this.pool.take();
    session.onMessage = (type, message) => {
      this.socket.write(message);
      // The server is ready for a query, and no transaction is open.
      if (this.mode === 'transaction' && type === 'Z' && message[5] === 'I'.charCodeAt(0)) {
        this.session = undefined;
        this.pool.giveBack(session);
      }
    };
    return session;
  }
}

function messageOf(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Cuts what arrives into messages. The length of a message is behind `lengthAt` bytes, and counts itself. */
function readMessages(lengthAt: number, onMessage: (message: Buffer) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= lengthAt + 4) {
      const end = lengthAt + rest.readInt32BE(lengthAt);
      if (rest.length < end) return;
      const message = rest.subarray(0, end);
      rest = rest.subarray(end);
      onMessage(message);
    }
  };
}
