import { SagaMemory } from './saga-memory';
import type { SagaStatus } from './saga-state';
import type { SagaRow } from './saga.repository';

const rowOf = (id: string, status: SagaStatus = 'running', version = 1): SagaRow => ({
  id,
  definition: 'journey',
  definitionVersion: 1,
  state: { status, step: 'flight', action: 'do', attempt: 1, cancelRequested: false },
  data: {},
  results: {},
  traceparent: '',
  version,
  movedAtMs: 0,
  beganAtMs: 0,
});

describe('R5 the memory of open sagas', () => {
  it('R5 gives each out once, in its newest version', () => {
    const memory = new SagaMemory();
    memory.remember(rowOf('a'));
    memory.remember(rowOf('a', 'compensating', 2));
    expect(memory.take(['a', 'b'])).toEqual(new Map([['a', expect.objectContaining({ version: 2 })]]));
    expect(memory.take(['a'])).toEqual(new Map());
  });

  it.each<SagaStatus>(['completed', 'compensated', 'parked'])('R5 forgets a saga that is %s', (status) => {
    const memory = new SagaMemory();
    memory.remember(rowOf('a'));
    memory.remember(rowOf('a', status));
    expect(memory.take(['a'])).toEqual(new Map());
  });

  it('R45 keeps so many and no more: the longest unmoved goes first', () => {
    const memory = new SagaMemory(2);
    for (const id of ['a', 'b', 'a', 'c']) memory.remember(rowOf(id));
    expect([...memory.take(['a', 'b', 'c']).keys()]).toEqual(['a', 'c']);
  });
});
