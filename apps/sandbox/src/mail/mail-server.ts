/** A mail server on a real socket: it takes every mail, keeps it here, and sends nothing on. */
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { counter, type Logger } from '@shop/observability';
import { LOGGER } from '@shop/service';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { MailFaults } from './mail-faults';
import { type NewMail, ReceivedMails } from './received-mails';

export interface MailServerOptions {
  /** 0 takes a free one. */
  port: number;
  host: string;
}

/** Undefined when there is to be no mail server. */
export const MAIL_SERVER = Symbol('MAIL_SERVER');

const MAX_MAIL_BYTES = 1024 * 1024;
/** A stop does not wait for clients that keep their connections. */
const CLOSE_WITHIN_MS = 500;

const mailsTaken = counter('sandbox_mails_total', 'Mails by what came of them', ['outcome']);

@Injectable()
export class MailServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly server: SMTPServer;
  /** By the port of the client, which is all that a session tells of its socket. */
  private readonly sockets = new Map<number, Socket>();
  private readonly pauses = new Set<() => void>();

  constructor(
    @Inject(MAIL_SERVER) private readonly options: MailServerOptions | undefined,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly mails: ReceivedMails,
    private readonly faults: MailFaults,
  ) {
    this.server = new SMTPServer({
      name: 'sandbox',
      banner: 'This is the sandbox. No mail goes on from here.',
      disabledCommands: ['AUTH', 'STARTTLS'],
      authOptional: true,
      disableReverseLookup: true,
      size: MAX_MAIL_BYTES,
      closeTimeout: CLOSE_WITHIN_MS,
      logger: false,
      onData: (stream, session, answer) => {
        this.take(stream, session).then(
          (said) => said !== undefined && answer(null, said),
          (error: Error) => answer(error),
        );
      },
    });
    this.server.on('error', (error) => this.logger.debug({ reason: error.message }, 'sandbox.mail.connection_failed'));
    this.server.server.on('connection', (socket: Socket) => this.remember(socket));
  }

  /** Where it listens. */
  get port(): number | undefined {
    const { server } = this.server;
    return server.listening ? (server.address() as AddressInfo).port : undefined;
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.options) return;
    const { port, host } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.server.server.once('error', (error: NodeJS.ErrnoException) => {
        const taken = error.code === 'EADDRINUSE';
        const sentence = taken ? `port ${port} for mails is taken; set SANDBOX_SMTP_PORT to a free one` : error.message;
        reject(Object.assign(new Error(sentence), { code: 'SANDBOX_SMTP_PORT' }));
      });
      this.server.listen(port, host, resolve);
    });
    this.logger.info({ port: this.port }, 'sandbox.mail.listening');
  }

  async onApplicationShutdown(): Promise<void> {
    for (const wake of this.pauses) wake();
    if (this.port !== undefined) await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  /** What is said to the client; nothing when its connection is closed. */
  private async take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string | undefined> {
    const mail = await readMail(stream, session);
    const { delayMs, fault } = this.faults.plan();
    if (delayMs > 0) await this.pause(delayMs);
    if (stream.sizeExceeded) throw refusal(552, 'The mail is too long');
    if (fault === 'temporary' || fault === 'permanent') {
      mailsTaken.inc({ outcome: fault });
      throw fault === 'temporary' ? refusal(451, 'Try again later') : refusal(550, 'No such mailbox');
    }
    const isNew = this.mails.keep(mail);
    mailsTaken.inc({ outcome: fault ?? (isNew ? 'kept' : 'duplicate') });
    if (fault !== 'lost_answer') return isNew ? 'Kept' : 'Known already';
    this.sockets.get(session.remotePort)?.destroy();
    return undefined;
  }

  private remember(socket: Socket): void {
    const { remotePort } = socket;
    if (remotePort === undefined) return;
    this.sockets.set(remotePort, socket);
    socket.once('close', () => this.sockets.delete(remotePort));
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.pauses.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.pauses.add(wake);
    });
  }
}

const refusal = (responseCode: number, text: string): Error => Object.assign(new Error(text), { responseCode });

async function readMail(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<NewMail> {
  // All of it is read, also of one that is too long: the client listens only then.
  const { messageId, subject, date, text, html } = await PostalMime.parse(await buffer(stream));
  return {
    messageId: messageId ?? null,
    from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
    to: envelope.rcptTo.map(({ address }) => address),
    subject: subject ?? '',
    writtenAt: date !== undefined && !Number.isNaN(Date.parse(date)) ? date : null,
    text: text ?? '',
    html: html ?? null,
  };
}
