import { type Heard, SagaMemory } from './saga-memory';
import type { SagaStatus } from './saga-state';
import type { SagaRow } from './saga.repository';

const rowOf = (id: string, status: SagaStatus = 'running', version = 1): SagaRow => ({
  id,
  definition: 'journey',
  definitionVersion: 1,
  state: { status, step: 'flight', action: 'do', attempt: 1, cancelRequested: false },
  data: {},
  traceparent: '',
  version,
  updatedAt: new Date(),
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

  describe('of replies that are not written', () => {
    const heard = (sagaId: string, at: number, version = 1): Heard => ({
      sagaId,
      event: { type: 'replied', step: 'flight', action: 'do', outcome: 'succeeded' },
      heardAt: new Date(at),
      version,
    });

    it('R5 tells them of the version in which they were heard, and of no other', () => {
      const memory = new SagaMemory();
      memory.hear(heard('a', 1, 2));
      expect(memory.heardOf({ id: 'a', version: 2 })).toMatchObject({ sagaId: 'a' });
      expect(memory.heardOf({ id: 'a', version: 3 })).toBeUndefined();
      expect(memory.heardOf({ id: 'b', version: 2 })).toBeUndefined();
    });

    it('R5 forgets them when the saga has moved, and not when it is looked up or taken', () => {
      const memory = new SagaMemory();
      memory.remember(rowOf('a'));
      memory.hear(heard('a', 1));
      memory.take(['a']);
      memory.remember(rowOf('a'));
      expect(memory.heardOf({ id: 'a', version: 1 })).toBeDefined();
      memory.remember(rowOf('a', 'running', 2));
      expect(memory.heardBefore(new Date())).toEqual([]);
    });

    it('R5 tells which are old', () => {
      const memory = new SagaMemory();
      for (const [index, id] of ['a', 'b', 'c'].entries()) memory.hear(heard(id, index));
      expect(memory.heardBefore(new Date(1)).map(({ sagaId }) => sagaId)).toEqual(['a', 'b']);
      memory.unhear('a');
      expect(memory.heardBefore(new Date(9)).map(({ sagaId }) => sagaId)).toEqual(['b', 'c']);
    });

    it('R45 has room for so many and no more', () => {
      const memory = new SagaMemory(2);
      expect(['a', 'b', 'c'].map((id) => memory.hear(heard(id, 1)))).toEqual([true, true, false]);
    });
  });

  it('R45 keeps so many and no more: the longest unmoved goes first', () => {
    const memory = new SagaMemory(2);
    for (const id of ['a', 'b', 'a', 'c']) memory.remember(rowOf(id));
    expect([...memory.take(['a', 'b', 'c']).keys()]).toEqual(['a', 'c']);
  });
});
