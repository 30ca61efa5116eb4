/** What a saga's row keeps of the awaited command itself: that it was refused, and what an operator has corrected. Pure. */
import type { Correction, SagaState } from './saga-state';

/** It names its command: a release that does not know the column leaves it behind when it moves the saga. */
export type AwaitedCommand = Pick<SagaState, 'step' | 'action' | 'refused'> & Partial<Correction>;

export function awaitedCommand({ step, action, refused, correction }: SagaState): AwaitedCommand | undefined {
  return refused || correction ? { step, action, refused, ...correction } : undefined;
}

type Row = Pick<SagaState, 'status' | 'step' | 'action'> & { awaited: AwaitedCommand | null };

export function knownCommand({ awaited, ...row }: Row): Pick<SagaState, 'refused' | 'correction'> {
  if (!awaited || awaited.step !== row.step || awaited.action !== row.action) return {};
  const { refused, revision, body } = awaited;
  return {
    ...(refused && row.status === 'parked' && { refused }),
    ...(revision && body && { correction: { revision, body } }),
  };
}
