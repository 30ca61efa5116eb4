import type { SagaState } from './saga-state';
import { known, storedWait } from './stored-wait';

const running: SagaState = { status: 'running', step: 'charge', action: 'do', attempt: 0, cancelRequested: false };
const waiting = { until: '2026-03-01T12:00:00Z', for: 'customer' } as const;
const read = (state: SagaState, changed: Partial<SagaState> = {}) =>
  known({ ...state, ...changed, waiting: storedWait(state) ?? null });

describe('what a row keeps of a wait', () => {
  it('is read as it was written', () => {
    expect(read({ ...running, waiting })).toEqual({ waiting });
    expect(read({ ...running, attempt: 2, hinted: true })).toEqual({ hinted: true });
    expect(read(running)).toEqual({});
  });

  it.each<[string, Partial<SagaState>]>([
    ['asked again', { attempt: 1 }],
    ['moved to the next step', { step: 'confirm', attempt: 1 }],
    ['moved to another step', { step: 'confirm' }],
    ['parked the saga', { status: 'parked' }],
    ['ended the saga', { status: 'completed' }],
  ])('R8 is not true any more when a release that does not know it has %s', (_, changed) => {
    expect(read({ ...running, waiting }, changed)).toEqual({});
  });
});
