// The one error of the stack: a sentence that says what to do, with its cause.

/** Thrown when PostgreSQL or NATS cannot be had; the message is one sentence for the person at the keyboard. */
export class StackError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StackError';
  }
}
