import { defineCommand } from '@shop/messaging';
import { defineSaga, step } from './definition';

const action = {
  command: defineCommand({ service: 'test', name: 'act', version: 1, body: class {} }),
  body: () => ({}),
};
const stepOf = (name: string, { undo = true, pivot = false } = {}) =>
  step<object>(name, { do: action, undo: undo ? action : undefined, pivot });

describe('defineSaga', () => {
  const faults: [string, ReturnType<typeof stepOf>[]][] = [
    ['it has no steps', []],
    ['two steps have one name', [stepOf('a'), stepOf('a')]],
    ['it has two pivots', [stepOf('a', { pivot: true }), stepOf('b', { pivot: true })]],
    [
      'step a stands before the pivot and cannot be undone',
      [stepOf('a', { undo: false }), stepOf('b', { pivot: true })],
    ],
  ];

  it.each(faults)('refuses a saga when %s', (fault, steps) => {
    expect(() => defineSaga('odd', 3, steps)).toThrow(`saga odd v3: ${fault}`);
  });

  it.each(['', 'a/b', 'a'.repeat(101)])('refuses %p as a name, of a saga or of a step', (name) => {
    expect(() => defineSaga(name, 1, [stepOf('a')])).toThrow('is no name');
    expect(() => defineSaga('even', 1, [stepOf('a'), stepOf(name)])).toThrow('is no name');
  });

  it.each([0, -1, 1.5, NaN])('refuses the version %p', (version) => {
    expect(() => defineSaga('even', version, [stepOf('a')])).toThrow('its version is not 1, 2, 3 …');
  });

  it('takes names up to that length', () => {
    expect(defineSaga('a'.repeat(100), 1, [stepOf('b-'.repeat(50))])).toMatchObject({ version: 1 });
  });
});

describe('step', () => {
  it('fills in what its deadline leaves out, with more attempts for the undo than for the do', () => {
    const { deadline } = step<object>('a', { do: action, deadline: { attempts: 3 } });
    expect(deadline.attempts).toBe(3);
    expect(deadline.undoAttempts).toBeGreaterThan(deadline.attempts);
    expect(deadline.backoff.firstMs).toBeGreaterThan(0);
  });
});
