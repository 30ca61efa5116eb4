/**
 * Hands mails to the mail server by SMTP, with what protects us from it. It says what came of it, and above all whether
 * the server can have the mail: from the moment when its text is on the way, only an answer tells.
 */
import type { Readable } from 'node:stream';
import { CircuitOpenError, Dependency, NoTurnError, RetryableError } from '@shop/resilience';
import { createTransport, type Transporter } from 'nodemailer';
import type { WrittenMail } from './templates';

export interface MailerOptions {
  /** `smtp://host:port`, or `smtps://user:password@host`. */
  url: string;
  /** Instead of the one in the address. */
  password?: string;
  /** The sender, such as `Shop <shop@example.com>`. */
  from: string;
  timeoutMs?: number;
}

export interface Letter extends WrittenMail {
  to: { name: string; address: string };
  /** In pointed brackets. */
  messageId: string;
  /** Whose mail it is. Tenants that wait are served in turn. */
  tenant: string;
}

/**
 * - `sent`: the server has it.
 * - `refused`: it will not take this mail (5xx), or it cannot be written to this address.
 * - `again`: it has not taken it, and may later (4xx).
 * - `unknown`: the connection was lost when the server may have had all of it.
 * - `away`: no mail was handed over, because the server cannot be reached or is spared.
 */
export type Delivery =
  | { outcome: 'sent' }
  | { outcome: 'refused' | 'again'; reason: string }
  | { outcome: 'unknown'; reason: 'connection_lost' }
  | { outcome: 'away'; reason: 'smtp_away'; retryAfterMs?: number };

/** At so many connections at once a mail server gets suspicious, or slow. */
export const CONNECTIONS = 8;
const MAX_WAITING_PER_TENANT = 200;
/** For one mail. A server that checks a mail while we wait takes its time, and RFC 5321 would give it minutes. */
const TIMEOUT_MS = 20_000;
const CONNECT_WITHIN_MS = 5_000;
/** Servers close a connection that is quiet, and then the next mail finds it closed. */
const IDLE_MS = 15_000;
/** The pool asks for another connection where nothing of the mail was sent yet. Once is enough for one that was closed. */
const MAX_REQUEUES = 1;

/** An answer of the server about one mail, or a connection that failed. Its text is the server's, and is not kept. */
interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
}

/** Thrown when not this mail is the trouble but the whole server, which the circuit breaker has to know. */
class SmtpAwayError extends RetryableError {
  readonly code = 'ECONNREFUSED';

  constructor(cause: unknown) {
    super('the mail server is away', { cause });
    this.name = 'SmtpAwayError';
  }
}

export class Mailer {
  /** Behind the sign of the sender's address. */
  readonly domain: string;
  private readonly transport: Transporter;
  private readonly dependency: Dependency;
  /** The texts on their way, by the name of their mail. */
  private readonly texts = new Map<string, Readable>();

  constructor({ url, password, from, timeoutMs = TIMEOUT_MS }: MailerOptions) {
    this.domain = domainOf(from);
    this.transport = createTransport(
      {
        ...connectionOf(url, password),
        pool: true,
        maxConnections: CONNECTIONS,
        maxRequeues: MAX_REQUEUES,
        idleTimeout: IDLE_MS,
        connectionTimeout: CONNECT_WITHIN_MS,
        greetingTimeout: CONNECT_WITHIN_MS,
        socketTimeout: timeoutMs,
        // A mail has no files, and a name in it is no way to ours.
        disableFileAccess: true,
        disableUrlAccess: true,
      },
      { from },
    );
    this.transport.use('stream', (mail, next) => {
      mail.message.processFunc((text) => {
        this.texts.set(mail.message.messageId(), text);
        return text;
      });
      next();
    });
    this.dependency = new Dependency({
      name: 'smtp',
      calls: CONNECTIONS,
      maxWaiting: MAX_WAITING_PER_TENANT,
      timeoutMs,
      totalMs: timeoutMs,
      // A mail has a row, which brings it again, later than a call could wait.
      maxTries: 1,
    });
  }

  /** Never throws for what the server does. */
  async send(letter: Letter): Promise<Delivery> {
    const { messageId, tenant } = letter;
    try {
      await this.dependency.call(({ signal }) => this.handOver(letter, signal), { turn: tenant });
      return { outcome: 'sent' };
    } catch (error) {
      if (error instanceof CircuitOpenError) return away(error.retryAfterMs);
      if (error instanceof NoTurnError) return away();
      return deliveryOf(error as SmtpError, this.isOnItsWay(messageId));
    } finally {
      this.texts.delete(messageId);
    }
  }

  close(): void {
    this.transport.close();
  }

  private async handOver({ to, subject, text, html, messageId, language }: Letter, signal: AbortSignal): Promise<void> {
    const headers = { 'Auto-Submitted': 'auto-generated', 'Content-Language': language };
    try {
      await this.transport.sendMail({ to, subject, text, html, messageId, headers, signal });
    } catch (error) {
      // With 421 a server says that it goes away.
      const { responseCode } = error as SmtpError;
      throw isAboutMail(error as SmtpError) && responseCode !== 421 ? error : new SmtpAwayError(error);
    }
  }

  /** nodemailer reads a text when the server has asked for it. */
  private isOnItsWay(messageId: string): boolean {
    return this.texts.get(messageId)?.readableDidRead === true;
  }
}

const away = (retryAfterMs?: number): Delivery => ({ outcome: 'away', reason: 'smtp_away', retryAfterMs });

/** What came of a mail that was not taken. Exported for its test. */
export function deliveryOf(error: SmtpError, isOnItsWay: boolean): Delivery {
  const cause = error instanceof SmtpAwayError ? (error.cause as SmtpError) : error;
  const { responseCode } = cause;
  if (!isAboutMail(cause)) return isOnItsWay ? { outcome: 'unknown', reason: 'connection_lost' } : away();
  // Such as a letter in the address that the server does not speak. Nothing was asked.
  if (responseCode === undefined) return { outcome: 'refused', reason: 'address_not_possible' };
  return { outcome: responseCode >= 500 ? 'refused' : 'again', reason: `smtp_${responseCode}` };
}

/** Anything else, such as a wrong password, says nothing about this mail. */
const isAboutMail = ({ code }: SmtpError): boolean => code === 'EENVELOPE' || code === 'EMESSAGE';

function connectionOf(url: string, password: string | undefined): { url: string } {
  if (password === undefined) return { url };
  const whole = new URL(url);
  whole.password = encodeURIComponent(password);
  return { url: whole.href };
}

function domainOf(from: string): string {
  return /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
}
