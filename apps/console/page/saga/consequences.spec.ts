import type { Outlook, Saga } from '../answers';
import { acts, consequencesOf, possibility } from './consequences';

const saga = (status: Saga['status'], action: 'do' | 'undo' = 'do'): Saga => ({
  id: '1',
  definition: 'place-order',
  version: 1,
  status,
  step: 'charge',
  action,
  attempt: 1,
  deadlineAt: null,
  history: [],
});
const outlook: Outlook = {
  todo: ['confirm'],
  undo: ['charge', 'reserve'],
  acts: [
    { act: 'retry', possible: true },
    { act: 'skip', possible: false, why: 'not-parked' },
    { act: 'cancel', possible: true, becomes: { status: 'compensating', step: 'charge', action: 'undo' } },
  ],
};

describe('an act', () => {
  it('is possible when the service says so, and it says why not', () => {
    expect(possibility('retry', saga('running'), outlook)).toEqual({ possible: true, why: undefined });
    expect(possibility('skip', saga('running'), outlook).why).toMatch(/only the step at which a saga is parked/);
  });

  it.each([
    ['retry', 'running', true],
    ['skip', 'running', false],
    ['skip', 'parked', true],
    ['cancel', 'compensating', false],
    ['retry', 'completed', false],
    ['hold', 'running', false],
  ] as const)('%s of a saga that is %s, of an older service, is possible: %s', (act, status, expected) => {
    expect(possibility(act, saga(status), undefined).possible).toBe(expected);
  });

  it('says what it will do before it is done', () => {
    expect(consequencesOf('cancel', saga('running'), outlook).join(' ')).toMatch(
      /in this order: charge, reserve\..*compensating, at charge \(undo\)/,
    );
    expect(consequencesOf('skip', saga('parked', 'undo'), undefined).join(' ')).toMatch(/“charge” counts as undone/);
    for (const { act } of acts) expect(consequencesOf(act, saga('parked'), outlook)).not.toEqual([]);
  });
});
