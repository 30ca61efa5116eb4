/**
 * A real database whose transactions wait at gates: before they begin and, if the scheduler wants it, in the middle.
 *
 * At most one transaction runs at a time. While one waits in its middle, another one may run. If that one meets a lock of
 * the first, it fails at once, as it would after the lock timeout, because the first one does not move meanwhile.
 */
import { Database, type Statement, type Tx } from '@shop/postgres';
import { type Clock, setClock } from './clock';
import type { Ranked } from './progress';
import { never, type Process, type Stage } from './stage';
import type { Sent } from './witness';

export interface DatabasePort {
  stage: Stage;
  clock: Clock;
  process: Process;
  kill: (process: Process) => void;
  /** Is told of each transaction that is committed, whether its process learns of that or not. */
  onCommit?: (process: Process, sent: readonly Sent[]) => void;
  /** Is told of each query outside of a transaction that its process has the answer to, and when it was asked. */
  onAnswer?: (process: Process, asked: { name: string; at: number }) => void;
  /** Lets the process act when it knows that these statements are committed. */
  letAct?: (process: Process, sent: readonly Sent[], act: () => void) => void;
  /** By what rows are sorted that a query returns. */
  rankOf: (row: Ranked) => string;
  /** What a test makes of a statement before it is sent. */
  changed?: (statement: Statement) => Statement;
}

const WAYS = [
  'commits',
  'pauses behind its reads',
  'pauses before its commit',
  'commits and loses the answer',
  'commits and dies',
  'finds no connection',
] as const;
type Way = (typeof WAYS)[number];
const PAUSED_WAYS = ['goes on', 'loses its connection'] as const;
/** Opens the gate of an open transaction whose process was killed. */
export const DIES = 'dies';

/** A statement meets a lock only where an open transaction holds it, and that transaction does not move. */
const LOCK_TIMEOUT = '5ms';

export class SimulatedDatabase extends Database {
  constructor(
    real: Database,
    private readonly port: DatabasePort,
  ) {
    super(real.dataSource);
  }

  /** When several things are due at one instant, PostgreSQL returns them in any order; here the oldest one comes first. */
  override async query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]> {
    const { rankOf, process, clock, onAnswer } = this.port;
    const at = clock.now;
    const rows = await this.transaction((tx) => tx.query<Row & Ranked>(statement, values));
    onAnswer?.(process, { name: statement.name, at });
    const ranked = rows.map((row) => ({ row, rank: rankOf(row) }));
    return ranked
      .sort(({ rank: one }, { rank: other }) => (one < other ? -1 : Number(one > other)))
      .map(({ row }) => row);
  }

  override async transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    const { stage, process, kill, onCommit, letAct = (_, __, act) => act() } = this.port;
    if (!process.alive) return never();
    const way = await stage.wait(process, 'transaction', { ways: WAYS });
    if (way === 'finds no connection') throw connectionLost();
    const pauses = [way];
    // Of the newest attempt. They are called when the process learns of the commit; that may never happen.
    let acts: (() => void)[] = [];
    let sent: Sent[] = [];
    const result = await stage.run(process, async () => {
      const worked = await super.transaction((tx) => {
        acts = [];
        sent = [];
        const observed: Tx = { ...tx, afterCommit: (act) => acts.push(act) };
        return this.within(observed, work, pauses.shift(), sent);
      }, retryOn);
      onCommit?.(process, sent);
      if (way === 'commits and dies') kill(process);
      if (way === 'commits and loses the answer') throw connectionLost();
      return worked;
    });
    letAct(process, sent, () => acts.forEach((act) => act()));
    return result;
  }

  private async within<T>(tx: Tx, work: (tx: Tx) => Promise<T>, way: Way | undefined, sent: Sent[]): Promise<T> {
    const { stage, clock, changed = (statement) => statement } = this.port;
    const { now } = clock;
    const note = ({ name }: Statement, values?: readonly unknown[]) => {
      stage.note(name);
      sent.push({ name, values: JSON.stringify(values ?? []), at: clock.now, now });
    };
    tx.send(setClock, [clock.iso, LOCK_TIMEOUT]);
    const reads: Promise<unknown>[] = [];
    let pause: Promise<void> | undefined;
    const result = await work({
      query: async <Row>(statement: Statement, values?: readonly unknown[]) => {
        note(statement, values);
        const read = tx.query<Row>(changed(statement), values);
        reads.push(read);
        const rows = await read;
        if (way === 'pauses behind its reads')
          await (pause ??= this.pauseBehind(reads).then((paused) => {
            // What it reads now is another round, and there it pauses again.
            if (paused) pause = undefined;
          }));
        return rows;
      },
      send: (statement, values) => {
        note(statement, values);
        tx.send(changed(statement), values);
      },
      afterCommit: (act) => tx.afterCommit(act),
    });
    if (way === 'pauses before its commit') {
      // The statements that were sent must have their locks before anybody else runs.
      await tx.query(arrive);
      await this.pause();
    }
    return result;
  }

  /** Statements that were sent together are answered together. If one of them has failed, the transaction is about to end. */
  private async pauseBehind(reads: readonly Promise<unknown>[]): Promise<boolean> {
    const answers = await Promise.allSettled(reads);
    const isGoingOn = answers.every(({ status }) => status === 'fulfilled');
    if (isGoingOn) await this.pause();
    return isGoingOn;
  }

  private async pause(): Promise<void> {
    const { stage, process } = this.port;
    stage.suspend();
    const way: string = await stage.wait(process, 'open transaction', { ways: PAUSED_WAYS });
    stage.resume();
    if (way !== 'goes on') throw connectionLost();
  }
}

const arrive: Statement = { name: 'simulation.arrive', text: 'select' };

function connectionLost(): Error {
  return Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' });
}
