/** The transaction as a value: whoever writes takes a `Tx` first, so no query can run outside one by accident. */
import type { Writable } from 'node:stream';
import type { PoolClient } from 'pg';
import { isTransactionAborted } from './pg-errors';

/** A hand-written statement. The name makes PostgreSQL parse and plan it once per connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export interface Tx {
  /** Runs a statement and answers its rows. */
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Sends a statement whose rows nobody needs, without waiting for it. It travels together with what follows, the
   * commit included; if it fails, the transaction fails.
   */
  send(statement: Statement, values?: readonly unknown[]): void;
}

/**
 * Runs `work` between `begin` and `commit` on one pipelined connection: `begin` travels with the first statements and
 * `commit` with the last, so a transaction costs as many round trips as it has decisions to wait for, plus one.
 * PostgreSQL turns a `commit` behind a failed statement into a rollback, so sending it early loses nothing; and a
 * transaction with a failed statement fails, even if `work` looked away, because nothing of it was kept.
 */
export async function runTransaction<T>(client: PoolClient, work: (tx: Tx) => Promise<T>): Promise<T> {
  const answers: Promise<unknown>[] = [];
  const gather = gathering(client);
  const run = (statement: Statement | string, values?: readonly unknown[]): Promise<{ rows: unknown[] }> => {
    gather();
    const answer =
      typeof statement === 'string'
        ? client.query(statement)
        : client.query({ name: statement.name, text: statement.text, values: values as unknown[] });
    // Marked as handled here; the failure itself is reported below.
    answer.catch(() => undefined);
    answers.push(answer);
    return answer;
  };
  const tx: Tx = {
    query: async <Row>(statement: Statement, values?: readonly unknown[]) =>
      (await run(statement, values)).rows as Row[],
    send: (statement, values) => {
      void run(statement, values);
    },
  };
  try {
    void run('begin');
    const result = await work(tx);
    void run('commit');
    const failure = await firstFailure(answers);
    if (failure) throw failure.reason;
    return result;
  } catch (error) {
    const failure = await firstFailure(answers);
    await client.query('rollback').catch(() => undefined);
    throw failure && isTransactionAborted(error) ? failure.reason : error;
  }
}

/**
 * What is sent in one turn of the event loop leaves in one write: the socket is corked at the first statement and
 * uncorked when nothing more is ready to run. A write for each statement would cost more than many a statement.
 */
function gathering(client: PoolClient): () => void {
  const { stream } = (client as unknown as { connection: { stream: Writable } }).connection;
  let corked = false;
  return () => {
    if (corked) return;
    corked = true;
    stream.cork();
    process.nextTick(() => {
      corked = false;
      stream.uncork();
    });
  };
}

/** Waits for every answer, so that no statement is still on its way; the first failure is the cause of all others. */
async function firstFailure(answers: Promise<unknown>[]): Promise<PromiseRejectedResult | undefined> {
  const settled = await Promise.allSettled(answers);
  return settled.find((answer) => answer.status === 'rejected');
}
