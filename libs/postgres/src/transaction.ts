/**
 * The transaction as a value. Code that writes takes a `Tx` as its first argument, so no query can run outside of one
 * by accident.
 */
import { channel } from 'node:diagnostics_channel';
import type { ClientBase } from 'pg';
import { type Call, sendBundle } from './bundle';
import { isTransactionAborted } from './pg-errors';
import type { Statement } from './statement';

export interface Tx {
  /** Runs a statement and returns its rows. */
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Sends a statement whose rows nobody needs, and does not wait for it. It travels together with the next statements,
   * including the commit. If it fails, the transaction fails.
   */
  send(statement: Statement, values?: readonly unknown[]): void;
  /**
   * Calls `act` when the commit is known. Several acts are called in the order of these calls. When the transaction is
   * rolled back or runs again, its acts are forgotten. `act` must not throw, because the commit cannot be taken back.
   */
  afterCommit(act: () => void): void;
}

const begin: Statement = { name: 'begin', text: 'begin' };
const commit: Statement = { name: 'commit', text: 'commit' };
const rollback: Statement = { name: 'rollback', text: 'rollback' };

/** The channel of `instant` in @shop/observability. This library imports none of our other libraries. */
const instants = channel('shop:instant');

/**
 * Runs `work` between `begin` and `commit`. The statements of one turn of the event loop travel in one bundle: `begin`
 * with the first statements, and `commit` with the last ones. So a transaction costs one round trip for each decision
 * that it waits for, plus one. A `commit` after a failed statement is not run, so it is safe to send it early. A
 * transaction with a failed statement fails even if `work` caught the error, because nothing of it is kept.
 */
export async function runTransaction<T>(
  client: ClientBase,
  work: (tx: Tx) => Promise<T>,
  onStatement?: (name: string) => void,
): Promise<T> {
  const answers: Promise<unknown>[] = [];
  const asked: (readonly unknown[])[] = [];
  const acts: (() => void)[] = [];
  let isOver = false;
  const tell = (name: string): void => {
    if (instants.hasSubscribers) instants.publish({ name, about: asked });
  };
  const ask = bundling(client, (calls) => {
    if (calls.at(-1)?.statement === commit) tell('commit.sent');
  });
  const run = (statement: Statement, values: readonly unknown[] = []): Promise<unknown[]> => {
    // Somebody else may use the connection now. Outside of a transaction, the effect of the statement would stay.
    if (isOver) throw new Error(`${statement.name} comes behind the end of its transaction`);
    const answer = ask(statement, values);
    // This marks the failure as handled. It is reported below.
    answer.catch(() => undefined);
    answers.push(answer);
    asked.push(values);
    onStatement?.(statement.name);
    return answer;
  };
  const tx: Tx = {
    query: async <Row>(statement: Statement, values?: readonly unknown[]) => (await run(statement, values)) as Row[],
    send: (statement, values) => {
      void run(statement, values);
    },
    afterCommit: (act) => {
      acts.push(act);
    },
  };
  let result: T;
  try {
    void run(begin);
    result = await work(tx);
    tell('commit.before');
    void run(commit);
    isOver = true;
    const failure = await firstFailure(answers);
    if (failure) throw failure.reason;
    tell('commit.after');
  } catch (error) {
    isOver = true;
    const failure = await firstFailure(answers);
    await ask(rollback, []).catch(() => undefined);
    throw failure && isTransactionAborted(error) ? failure.reason : error;
  }
  for (const act of acts) act();
  return result;
}

/** Runs one statement in its own transaction. */
export function runStatement(client: ClientBase, statement: Statement, values: readonly unknown[]): Promise<unknown[]> {
  return new Promise((resolve, reject) => sendBundle(client, [{ statement, values, resolve, reject }]));
}

/** Collects statements until no more code is ready to run, then sends them all. */
function bundling(
  client: ClientBase,
  onSent: (calls: readonly Call[]) => void,
): (statement: Statement, values: readonly unknown[]) => Promise<unknown[]> {
  let waiting: Call[] = [];
  const flush = () => {
    const calls = waiting;
    waiting = [];
    sendBundle(client, calls);
    onSent(calls);
  };
  return (statement, values) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) process.nextTick(flush);
      waiting.push({ statement, values, resolve, reject });
    });
}

/** Waits for every answer, so that no statement is still on its way. The first failure is the cause of all others. */
async function firstFailure(answers: Promise<unknown>[]): Promise<PromiseRejectedResult | undefined> {
  const settled = await Promise.allSettled(answers);
  return settled.find((answer) => answer.status === 'rejected');
}
