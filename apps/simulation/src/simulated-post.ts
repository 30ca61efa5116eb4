/** The mail server behind a bad connection. It keeps every mail that it has accepted, also those that come twice. */
import type { Letter, Mailer, Sending } from '@shop/fulfilment/testing';
import { RetryableError, TerminalError } from '@shop/resilience';
import { Outside } from './outside';
import type { Process, Stage } from './stage';

const FAILED_BEFORE = 'the connection was refused';

export class SimulatedPost {
  readonly accepted: Letter[] = [];
  /** Names of mails that it would not take. */
  readonly refused = new Set<string>();
  private failures = 0;
  private readonly outside: Outside;

  constructor(stage: Stage) {
    this.outside = new Outside(stage, 'mail server');
  }

  /** The mail server as one process reaches it. */
  reachedFrom(process: Process): Mailer {
    const send = async (letter: Letter): Promise<Sending> => {
      const { messageId } = letter;
      const work = async () => void this.accepted.push(letter);
      const call = this.outside.call(process, {
        what: `mail ${messageId}`,
        work,
        onRefused: () => this.refused.add(messageId),
      });
      return call.then(
        () => ({ outcome: 'sent' }),
        (error: Error) => this.cameOf(error),
      );
    };
    return { domain: 'shop.example', send };
  }

  private cameOf(error: Error): Sending {
    if (error instanceof TerminalError) return { outcome: 'refused', reason: 'smtp_550' };
    if (!(error instanceof RetryableError)) throw error;
    if (error.message !== FAILED_BEFORE) return { outcome: 'unknown', reason: 'connection_lost' };
    // Now it says so, and now it says nothing.
    return ++this.failures % 2 === 0
      ? { outcome: 'again', reason: 'smtp_451' }
      : { outcome: 'away', reason: 'smtp_away' };
  }
}
