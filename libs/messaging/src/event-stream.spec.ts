import { isShortOfRoom, keptMs, lostAbove } from './event-stream';

type Info = Parameters<typeof isShortOfRoom>[0];

const known = { sequence: 10, streamCreated: 'monday' };
const stream = { created: 'monday', firstSequence: 1, ownSequence: 10, isShortOfRoom: false };

describe('what a stream has lost', () => {
  it.each<[string, Partial<typeof known & { missing: number }>, Partial<typeof stream>, number | undefined]>([
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
    ['R41 what it was purged of', { missing: 4 }, { firstSequence: 11, ownSequence: 0 }, 3],
    ['R41 what it was purged of, though it has our last message', { missing: 4 }, { firstSequence: 9 }, 3],
    [
      'R41 nothing, when it has dropped our last message to make room',
      { missing: 4 },
      { firstSequence: 11, ownSequence: 0, isShortOfRoom: true },
      undefined,
    ],
    [
      'R41 nothing, when it has dropped only older messages to make room',
      { missing: 4 },
      { firstSequence: 9, isShortOfRoom: true },
      undefined,
    ],
    [
      'R41 its end, when it has no room either',
      { missing: 4 },
      { firstSequence: 6, ownSequence: 7, isShortOfRoom: true },
      7,
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

  it('R41 is found whatever happened to it: aged, purged, rolled back, in any order', () => {
    const sequences = [1, 2, 3, 4];
    // What was too old when it went, what went from the beginning for another reason, and what went from the end.
    for (const aged of [0, ...sequences]) {
      for (const purged of [0, ...sequences].filter((sequence) => sequence >= aged)) {
        for (const last of [0, ...sequences]) {
          const left = sequences.filter((sequence) => sequence > purged && sequence <= last);
          const lost = sequences.filter((sequence) => sequence > aged && !left.includes(sequence));
          const missing = sequences.find((sequence) => sequence > aged && sequence <= purged);
          const theirs = { ...stream, firstSequence: purged + 1, ownSequence: left.at(-1) ?? 0 };
          const above = lostAbove({ ...known, sequence: sequences.length, missing }, theirs);
          const again = above === undefined ? [] : sequences.filter((sequence) => sequence > Math.max(above, aged));
          expect(again).toEqual(expect.arrayContaining(lost));
          if (lost.length === 0) expect(again).toEqual([]);
        }
      }
    }
  });
});

describe('how long a stream surely keeps what it acknowledged', () => {
  const hourMs = 60 * 60_000;

  it.each([
    ['R41 is an hour less than its age', 72 * hourMs, 71 * hourMs],
    ['R41 is no more than what we asked for, when it keeps for longer', 1_000 * hourMs, 71 * hourMs],
    ['R41 is no more than what we asked for, when it keeps for good', 0, 71 * hourMs],
    ['R41 is less, when an operator has shortened it', 24 * hourMs, 23 * hourMs],
    ['R41 is something, however short it is', hourMs, hourMs / 2],
  ])('%s', (_, maxAgeMs, expected) => {
    expect(keptMs(maxAgeMs)).toBe(expected);
  });
});

describe('a stream that may have dropped messages to make room', () => {
  const judge = (config: Partial<Info['config']>, state: Partial<Info['state']>): boolean =>
    isShortOfRoom({
      config: { max_bytes: 100, max_msgs: -1, max_msgs_per_subject: -1, ...config },
      state: { bytes: 0, messages: 0, ...state },
    } as Info);

  it.each<[string, Partial<Info['config']>, Partial<Info['state']>, boolean]>([
    ['R41 is not an empty one', {}, {}, false],
    ['R41 is not one that is half full', {}, { bytes: 50, messages: 1_000_000 }, false],
    ['R41 is one that is fuller', {}, { bytes: 51 }, true],
    ['R41 is not a full one without limits', { max_bytes: -1 }, { bytes: 1e12 }, false],
    ['R41 is one with as many messages as it may have', { max_msgs: 10 }, { messages: 10 }, true],
    ['R41 is not one with few messages', { max_msgs: 10 }, { messages: 5 }, false],
    ['R41 is one with a limit for each subject', { max_msgs_per_subject: 1_000 }, {}, true],
  ])('%s', (_, config, state, expected) => {
    expect(judge(config, state)).toBe(expected);
  });
});
