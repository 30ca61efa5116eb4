/** The transaction as a value: whoever writes takes a `Tx` first, so no query can run outside one by accident. */
import type { PoolClient } from 'pg';

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
 * PostgreSQL turns a `commit` behind a failed statement into a rollback, so sending it early loses nothing.
 */
export async function runTransaction<T>(client: PoolClient, work: (tx: Tx) => Promise<T>): Promise<T> {
  const unanswered: Promise<unknown>[] = [];
  const run = (statement: Statement | string, values?: readonly unknown[]): Promise<{ rows: unknown[] }> => {
    const answer =
      typeof statement === 'string'
        ? client.query(statement)
        : client.query({ name: statement.name, text: statement.text, values: values as unknown[] });
    // Marked as handled here; the failure itself is reported by whoever awaits it below.
    answer.catch(() => undefined);
    return answer;
  };
  unanswered.push(run('begin'));
  const tx: Tx = {
    query: async <Row>(statement: Statement, values?: readonly unknown[]) =>
      (await run(statement, values)).rows as Row[],
    send: (statement, values) => {
      unanswered.push(run(statement, values));
    },
  };
  try {
    const result = await work(tx);
    unanswered.push(run('commit'));
    await settleAll(unanswered);
    return result;
  } catch (error) {
    await Promise.allSettled(unanswered);
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/** Waits for every answer, so that no statement is still on its way, then throws the first failure (the cause). */
async function settleAll(answers: Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(answers);
  for (const answer of settled) if (answer.status === 'rejected') throw answer.reason;
}
