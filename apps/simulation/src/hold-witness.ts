/**
 * Sees what operators hold, what becomes of the sagas meanwhile, and what leaves. It looks at what is committed and at what
 * the broker gets, and not at what the product says of its holds. `audit-holds.ts` has the rules.
 */
import type { Message } from '@shop/messaging';
import type { Process, Stage } from './stage';
import type { Sent } from './witness';

/** A version of a saga, as a transaction has left it. */
export interface SagaVersion {
  id: string;
  version: number;
  definition: string;
  status: string;
  step: string;
  action: string;
  held: { step?: true; owes?: true } | null;
  waiting: { until: string } | null;
  /** It has a new deadline, so many milliseconds behind `now`. */
  deadlineMs: number | null;
  /** What was now for its transaction. */
  now: number;
}

/** A line of the history. */
export interface Move {
  sagaId: string;
  version: number;
  event: string;
  now: number;
}

/** A command that left, and the transaction that decided so. */
export interface Send {
  sagaId: string;
  step: string;
  action: string;
  process: string;
  decidedAt: number;
  /** Of its saga. */
  moves: Move[];
}

export interface StepHold {
  definition: string;
  step: string;
  placedAt: number;
  endedAt?: number;
}

/** A process has read which steps are held. */
export interface Reading {
  process: string;
  begunAt: number;
  endedAt: number;
}

const COMMAND = /^([0-9a-f-]{36})\/([\w-]+)\/(do|undo)(?:\/\d+)?$/;

export class HoldWitness {
  /** In their order. */
  readonly versions = new Map<string, SagaVersion[]>();
  readonly moves: Move[] = [];
  readonly sends: Send[] = [];
  readonly stepHolds: StepHold[] = [];
  readonly readings: Reading[] = [];
  /** Who has placed what is held now. */
  private readonly placedBy = new Map<string, string>();
  private acting?: readonly Sent[];

  constructor(
    private readonly stage: Stage,
    private readonly clock: { now: number },
  ) {}

  /** The sagas that have not ended, the oldest first. */
  get open(): SagaVersion[] {
    const newest = [...this.versions.values()].map((versions) => versions.at(-1)!);
    return newest.filter(({ status }) => status === 'running' || status === 'compensating');
  }

  /** A transaction of the order service is committed. */
  sees({ name: process }: Process, sent: readonly Sent[]): void {
    for (const { name, values, now } of sent) {
      if (name === 'saga.insert') for (const row of rowsIn(values)) this.seesVersion(begun(row), now);
      if (name === 'saga.update') for (const row of rowsIn(values)) this.seesVersion(row, now);
      if (name === 'saga-hold.place') this.seesHold(process, JSON.parse(values) as string[]);
      if (name === 'saga-hold.release') this.seesRelease(JSON.parse(values) as string[]);
    }
    for (const move of movesIn(sent)) {
      this.moves.push(move);
      const { sagaId, event } = move;
      if (event === 'operator.hold') this.placedBy.set(sagaId, process);
      if (event === 'operator.resume') this.placedBy.delete(sagaId);
      if (event === 'deadline.held') this.stage.note(`the deadline of ${sagaId} has passed at a held step`);
    }
  }

  /** What leaves while the process acts was decided in this transaction. */
  letAct(sent: readonly Sent[], act: () => void): void {
    this.acting = sent;
    act();
    this.acting = undefined;
  }

  leaves({ name: process }: Process, { id }: Message): void {
    const [, sagaId, step, action] = COMMAND.exec(id) ?? [];
    const written = this.acting?.find(({ name }) => name === 'saga.insert-history');
    if (!written || !sagaId || !step || !action) return;
    const moves = movesIn(this.acting!).filter((move) => move.sagaId === sagaId);
    this.sends.push({ sagaId, step, action, process, decidedAt: written.at, moves });
    const { definition = '' } = this.versions.get(sagaId)?.[0] ?? {};
    if (action === 'do' && this.heldNow(definition, step)) this.stage.note(`${step} is held by now`);
  }

  reads({ name: process }: Process, begunAt: number): void {
    this.readings.push({ process, begunAt, endedAt: this.clock.now });
  }

  /** For the trace. */
  dies({ name }: Process): void {
    if ([...this.placedBy.values()].includes(name)) this.stage.note('what was held there stays held');
  }

  private seesVersion(row: Row, now: number): void {
    const { id, step, action, held } = row;
    const versions = this.versions.get(id) ?? [];
    const definition = row.definition ?? versions[0]?.definition ?? '';
    this.versions.set(id, [
      ...versions,
      { ...row, definition, held, waiting: row.waiting ?? null, deadlineMs: row.deadline_ms ?? null, now },
    ]);
    if (!held && versions.at(-1)?.held) this.stage.note(`${id} is held no longer`);
    if (!held) return;
    const by = held.step ? 'with its step' : 'alone';
    this.stage.note(`${id} is held ${by}, and ${step}/${action} is ${held.owes ? 'not sent' : 'on its way'}`);
  }

  private seesHold(process: string, [, definition = '', step = '']: string[]): void {
    if (this.heldNow(definition, step)) return;
    this.stepHolds.push({ definition, step, placedAt: this.clock.now });
    this.placedBy.set(`${definition}/${step}`, process);
  }

  private seesRelease([, definition = '', step = '']: string[]): void {
    const hold = this.heldNow(definition, step);
    if (hold) hold.endedAt = this.clock.now;
    this.placedBy.delete(`${definition}/${step}`);
  }

  private heldNow(definition: string, step: string): StepHold | undefined {
    return this.stepHolds.find((one) => one.definition === definition && one.step === step && !one.endedAt);
  }
}

type Row = Omit<SagaVersion, 'deadlineMs' | 'now' | 'definition' | 'waiting'> & {
  definition?: string;
  waiting?: SagaVersion['waiting'];
  deadline_ms?: number | null;
};

/** The statements take their rows as one JSON text. */
const rowsIn = (values: string): Row[] => JSON.parse((JSON.parse(values) as [string])[0]) as Row[];

const begun = (row: Row): Row => ({ ...row, version: 1, status: 'running', action: 'do' });

const movesIn = (sent: readonly Sent[]): Move[] =>
  sent
    .filter(({ name }) => name === 'saga.insert-history')
    .flatMap(({ values, now }) => {
      const rows = rowsIn(values) as unknown as { saga_id: string; seq: number; event: string }[];
      return rows.map(({ saga_id, seq, event }) => ({ sagaId: saga_id, version: seq, event, now }));
    });
