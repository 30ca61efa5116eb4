import { lostAbove } from './event-stream';

const known = { sequence: 10, streamCreated: 'monday' };
const stream = { created: 'monday', firstSequence: 1, ownSequence: 10 };

describe('what a stream has lost', () => {
  it.each<[string, Partial<typeof known>, Partial<typeof stream>, number | undefined]>([
    ['R41 nothing, when our last message is its last', {}, {}, undefined],
    ['R41 nothing, when it has one that we did not live to note', {}, { ownSequence: 11 }, undefined],
    ['R41 what is above our last message that it still has', {}, { ownSequence: 7 }, 7],
    ['R41 everything, when it has none of ours', {}, { ownSequence: 0 }, 0],
    ['R41 everything, when it is another stream, whatever its numbers say', {}, { created: 'tuesday' }, 0],
    [
      'R41 nothing, when our last message was old and has been dropped',
      {},
      { firstSequence: 11, ownSequence: 0 },
      undefined,
    ],
    [
      'R41 nothing, when we never published and it is as new',
      { sequence: 0 },
      { firstSequence: 0, ownSequence: 0 },
      undefined,
    ],
  ])('%s', (_, mine, theirs, expected) => {
    expect(lostAbove({ ...known, ...mine }, { ...stream, ...theirs })).toBe(expected);
  });
});
