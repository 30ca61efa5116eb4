import { breaking, edges, indexOf } from '../testing/exploration';
import { journeyV1, journeyV3 } from '../testing/journey';
import { decide, start } from './decide';
import type { SagaDefinition } from './definition';
import { earlyStepBehind, impliedBy } from './early';
import type { ActionName, SagaEvent, SagaState } from './saga-state';

const early = journeyV3 as SagaDefinition<never>;
const reply = (step: string, action: ActionName = 'do', outcome: 'succeeded' | 'refused' = 'succeeded'): SagaEvent => ({
  type: 'replied',
  step,
  action,
  outcome,
});
const { state: first } = start(early);

describe('R2 a step that may leave early', () => {
  it('is known to the one before it, and to no other', () => {
    expect(earlyStepBehind(early, 'flight')?.name).toBe('hotel');
    expect(earlyStepBehind(early, 'hotel')).toBeUndefined();
    expect(earlyStepBehind(early, 'pay')).toBeUndefined();
    expect(earlyStepBehind(journeyV1 as SagaDefinition<never>, 'flight')).toBeUndefined();
  });

  it.each(['succeeded', 'refused'] as const)('proves by being %s that the step before it has succeeded', (outcome) => {
    expect(impliedBy(early, first, reply('hotel', 'do', outcome))).toEqual(reply('flight'));
  });

  it.each<[string, SagaState, SagaEvent]>([
    ['its undo is answered', first, reply('hotel', 'undo')],
    ['the awaited step itself is answered', first, reply('flight')],
    ['a step behind it is answered', first, reply('pay')],
    ['a deadline passes', first, { type: 'deadline-passed', step: 'hotel', action: 'do', attempt: 1 }],
    ['the saga is turning back', { ...first, status: 'compensating', action: 'undo' }, reply('hotel')],
    ['the saga is parked', { ...first, status: 'parked' }, reply('hotel')],
  ])('proves nothing when %s', (_, state, event) => {
    expect(impliedBy(early, state, event)).toBeUndefined();
  });

  it('R7 in every state that can be reached, what is implied is what the saga awaits, and makes room for the reply', () => {
    const implying = edges.flatMap((edge) => {
      const implied = impliedBy(edge.definition, edge.from.state, edge.event);
      return implied ? [{ ...edge, implied }] : [];
    });
    const fits = ({ definition, from, event, implied }: (typeof implying)[number]) => {
      const decision = decide(definition, from.state, implied);
      if ('ignored' in decision || event.type !== 'replied') return false;
      const { step } = decision.state;
      return step === event.step && indexOf(definition, step) === indexOf(definition, from.state.step) + 1;
    };
    expect(breaking(implying, fits)).toEqual([]);
  });
});
