/** What is measured of the calls outside, by the name of the dependency. */
import { counter, gauge, histogram } from '@shop/observability';
import type { BreakerState } from './circuit-breaker';
import type { GivenUp } from './retry';

/** `failed`: may be tried again. `refused`: may not. `cancelled`: by the caller, before there was an outcome. */
export type TryOutcome = 'succeeded' | 'failed' | 'refused' | 'cancelled';
/** `budget`: there were too many retries. `circuit`: the breaker has opened. */
export type NotRetried = GivenUp | 'budget' | 'circuit';

/** In seconds. A call takes a round trip at best, and its time limit at worst. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const tries = counter('outside_tries_total', 'Tries of calls outside by what came of them', ['dependency', 'outcome']);
const retries = counter('outside_retries_total', 'Tries that were not the first one of their call', ['dependency']);
const notRetried = counter('outside_not_retried_total', 'Failed calls by why they were not tried again', [
  'dependency',
  'reason',
]);
const notCalled = counter(
  'outside_not_called_total',
  'Tries that were not made, because no turn came or a circuit is open',
  ['dependency', 'reason'],
);
const durations = histogram('outside_try_duration_seconds', 'Duration of a try', ['dependency'], BUCKETS);
const inUse = gauge('outside_calls_in_use', 'Calls that are made now', ['dependency']);
const waiting = gauge('outside_calls_waiting', 'Calls that wait for their turn', ['dependency']);
const circuit = gauge('outside_circuit_state', '0 closed, 1 half open, 2 open', ['dependency']);
const circuitChanges = counter('outside_circuit_changes_total', 'Changes of the circuit breaker by its new state', [
  'dependency',
  'to',
]);

const LEVELS: Record<BreakerState, number> = { closed: 0, half_open: 1, open: 2 };

export class DependencyMetrics {
  constructor(private readonly dependency: string) {
    circuit.set({ dependency }, LEVELS.closed);
  }

  tried(outcome: TryOutcome, durationMs: number): void {
    tries.inc({ dependency: this.dependency, outcome });
    durations.observe({ dependency: this.dependency }, durationMs / 1_000);
  }

  retried(): void {
    retries.inc({ dependency: this.dependency });
  }

  notRetried(reason: NotRetried): void {
    notRetried.inc({ dependency: this.dependency, reason });
  }

  notCalled(reason: 'no_turn' | 'circuit_open'): void {
    notCalled.inc({ dependency: this.dependency, reason });
  }

  inUse(change: 1 | -1): void {
    inUse.inc({ dependency: this.dependency }, change);
  }

  waiting(change: 1 | -1): void {
    waiting.inc({ dependency: this.dependency }, change);
  }

  circuit(to: BreakerState): void {
    circuit.set({ dependency: this.dependency }, LEVELS[to]);
    circuitChanges.inc({ dependency: this.dependency, to });
  }
}
