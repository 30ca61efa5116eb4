/** A real mail server for tests, which answers each mail as it is told. */
import type { AddressInfo, Socket } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** `lost`: it takes the mail and closes the connection. `dropped`: it closes it before the text. A number is a code. */
export type MailAnswer = 'taken' | 'lost' | 'dropped' | number;

export interface TestMail {
  to: string[];
  messageId: string | undefined;
  text: string;
}

export class TestMailServer {
  /** The mails of which it has the whole text, and has not refused it. */
  readonly mails: TestMail[] = [];
  /** How to answer the next mails; the last one is for all that follow. */
  answers: MailAnswer[] = ['taken'];
  /** Resolved before an answer. */
  gate: Promise<unknown> = Promise.resolve();
  /** Connections that were made. */
  connections = 0;
  /** Most mails at once that waited for an answer. */
  atOnce = 0;
  private waiting = 0;
  private readonly server: SMTPServer;
  private readonly sockets = new Set<Socket>();
  port = 0;

  constructor() {
    this.server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      authOptional: true,
      disableReverseLookup: true,
      closeTimeout: 100,
      logger: false,
      onRcptTo: (_, { remotePort }, answer) => {
        if (this.answers[0] !== 'dropped') return answer();
        this.next();
        this.drop(remotePort);
      },
      onData: (stream, { envelope, remotePort }, answer) => {
        const taken = textOf(stream).then(async (text) => {
          this.atOnce = Math.max(this.atOnce, (this.waiting += 1));
          await this.gate;
          this.waiting -= 1;
          const how = this.next();
          if (typeof how === 'number') return answer(Object.assign(new Error('no'), { responseCode: how }));
          const messageId = /^message-id: (\S+)/im.exec(text)?.[1];
          this.mails.push({ to: envelope.rcptTo.map(({ address }) => address), messageId, text });
          if (how === 'lost') this.drop(remotePort);
          else answer(null);
        });
        // Who gives up in the middle of a mail has not sent it.
        taken.catch(() => undefined);
      },
    });
    this.server.on('error', () => undefined);
    this.server.server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** Ends all connections too. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.dropAll();
    await closed;
  }

  dropAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private next(): MailAnswer {
    return this.answers.length > 1 ? this.answers.shift()! : this.answers[0]!;
  }

  private drop(port: number): void {
    for (const socket of this.sockets) if (socket.remotePort === port) socket.destroy();
  }
}
