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
});

describe('step', () => {
  it('fills in what its deadline leaves out, with more attempts for the undo than for the do', () => {
    const { deadline } = step<object>('a', { do: action, deadline: { attempts: 3 } });
    expect(deadline.attempts).toBe(3);
    expect(deadline.undoAttempts).toBeGreaterThan(deadline.attempts);
    expect(deadline.backoff.firstMs).toBeGreaterThan(0);
  });
});
