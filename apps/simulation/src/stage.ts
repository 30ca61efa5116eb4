/**
 * What runs and what waits. The product's code runs freely until it calls a port. There it waits at a gate, and nothing
 * continues until the scheduler opens a gate. Between two gates there is no chance, so the choices determine the run.
 */
import assert from 'node:assert/strict';

/** A process of a service. No port ever answers a process that was killed. */
export interface Process {
  readonly name: string;
  alive: boolean;
}

/** Whom processes call. */
export type Outsider = 'provider' | 'carrier' | 'mail server' | 'order service';

/** Somebody who waits at a port. */
export interface Gate {
  process: Process;
  port: 'transaction' | 'open transaction' | Outsider | `answer of the ${Outsider}`;
  /** The ways to go on; the first is the one without a fault. */
  ways: readonly string[];
  what: string;
  open: (way: string) => void;
}

/** After so many turns of the event loop without a move, all code waits at gates: a lane takes one turn to begin. */
const QUIET_TURNS = 3;

export class Stage {
  readonly gates: Gate[] = [];
  /** What has happened since the scheduler last looked, for the trace. */
  notes: string[] = [];
  private running = 0;
  private moves = 0;
  private stopped?: () => void;

  /** Waits until the scheduler says how to go on. */
  wait<Way extends string>(
    process: Process,
    port: Gate['port'],
    { what = '', ways }: { what?: string; ways: readonly Way[] },
  ): Promise<Way> {
    this.moves++;
    return new Promise((resolve) => {
      const gate: Gate = {
        process,
        port,
        what,
        ways,
        open: (way) => {
          this.gates.splice(this.gates.indexOf(gate), 1);
          resolve(way as Way);
        },
      };
      this.gates.push(gate);
    });
  }

  /** Work that takes real time. The process gets its result if it still lives. */
  async run<T>(process: Process, work: () => Promise<T>): Promise<T> {
    this.running++;
    const [result] = await Promise.allSettled([work()]);
    this.suspend();
    if (!process.alive) return never();
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }

  /** The work that runs is about to wait at a gate, or has ended. */
  suspend(): void {
    assert(this.running > 0, 'what does not run cannot wait');
    this.running--;
    this.moves++;
    if (this.running === 0) this.stopped?.();
  }

  resume(): void {
    this.running++;
  }

  note(text: string): void {
    this.moves++;
    this.notes.push(text);
  }

  /** Waits until nothing runs and nothing moves any more. */
  async quiet(): Promise<void> {
    for (let turns = 0, seen = -1; turns < QUIET_TURNS || this.running > 0; turns++) {
      if (this.running > 0) await new Promise<void>((resolve) => (this.stopped = resolve));
      if (this.moves !== seen) turns = 0;
      seen = this.moves;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Never ends. It is not an error, because no process is left to get one. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
