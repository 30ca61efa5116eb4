/** Counts the decisions of the ledger, for dashboards. */
import { counter } from '@shop/observability';
import type { Begun, Outcome } from './settle';

export type Decision = 'fresh' | 'replayed' | 'conflicted' | 'in-use' | 'resumed' | 'expired' | 'erased';

const decisions = counter('idempotency_decisions_total', 'Works by what the ledger made of them', ['decision']);

export function decisionOf(outcome: Outcome | Begun): Decision {
  if (outcome.kind === 'reused') return 'conflicted';
  if (outcome.kind === 'begun') return 'fresh';
  return outcome.kind === 'fresh' && outcome.resumed ? 'resumed' : outcome.kind;
}

export function countDecisions(outcomes: readonly (Outcome | Begun)[]): void {
  for (const outcome of outcomes) countDecision(decisionOf(outcome));
}

export function countDecision(decision: Decision, times = 1): void {
  decisions.inc({ decision }, times);
}
