/**
 * What runs and what waits. The product's code runs freely until it asks a port; there it waits at a gate, and nothing
 * goes on until the scheduler opens one. Between two gates nothing is left to chance, so the choices are the whole run.
 */
import assert from 'node:assert/strict';

/** A process of a service. One that was killed never gets anything back from a port again. */
export interface Process {
  readonly name: string;
  alive: boolean;
}

/** Somebody who waits at a port. */
export interface Gate {
  process: Process;
  port: 'transaction' | 'open transaction' | 'provider' | 'answer of the provider';
  /** The ways to go on; the first is the one without a fault. */
  ways: readonly string[];
  what: string;
  open: (way: string) => void;
}

/** Turns of the event loop without a move, after which only gates are left: a lane takes one turn to begin. */
const QUIET_TURNS = 3;

export class Stage {
  readonly gates: Gate[] = [];
  /** What happened since the scheduler looked last, for the trace. */
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

  /** Work that takes real time; the process hears what came of it if it still lives. */
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

  /** Until nothing runs and nothing moves any more. */
  async quiet(): Promise<void> {
    for (let turns = 0, seen = -1; turns < QUIET_TURNS || this.running > 0; turns++) {
      if (this.running > 0) await new Promise<void>((resolve) => (this.stopped = resolve));
      if (this.moves !== seen) turns = 0;
      seen = this.moves;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Not an error: there is nobody left to get one. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
