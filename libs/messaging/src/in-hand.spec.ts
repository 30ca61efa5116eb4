import type { JsMsg } from '@nats-io/jetstream';
import type { Logger } from '@shop/observability';
import { InHand } from './in-hand';

const MINUTE = 60_000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function take(...names: string[]) {
  const told: string[] = [];
  const warn = jest.fn();
  const inHand = new InHand({ warn } as unknown as Logger);
  const messages = names.map((name, seq) => {
    const message = {
      seq,
      working: () => told.push(`${name} works`),
      nak: (ms: number) => told.push(`${name} back ${ms}`),
    };
    inHand.take('cmd.test', message as unknown as JsMsg);
    return message as unknown as JsMsg;
  });
  return { inHand, messages, told, warn };
}

describe('R45 what a replica has in hand', () => {
  it('R45 is kept while its work moves', () => {
    const { inHand, messages, told } = take('one');
    for (let round = 1; round <= 10; round++) {
      jest.advanceTimersByTime(MINUTE / 3);
      inHand.moved(messages[0]!);
      inHand.prolong();
    }
    expect(told).toEqual(Array(10).fill('one works'));
  });

  it('R45 is left to the others when nothing of it moves, and this is told once', () => {
    const { inHand, messages, told, warn } = take('stuck', 'well');
    jest.advanceTimersByTime(2 * MINUTE);
    inHand.moved(messages[1]!);
    inHand.prolong();
    inHand.moved(messages[0]!);
    inHand.prolong();
    expect(told).toEqual(['well works', 'well works']);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith({ mailbox: 'cmd.test', sequence: 0 }, 'messaging.work.hangs');
  });

  it('R11 is given back at once, once, and is not prolonged behind it', () => {
    const { inHand, messages, told } = take('done', 'one', 'two');
    inHand.letGo(messages[0]!);
    expect(inHand.giveBack(5)).toBe(2);
    expect(inHand.giveBack(5)).toBe(0);
    inHand.prolong();
    expect(told).toEqual(['one back 5', 'two back 5']);
    expect(inHand.size).toBe(2);
  });
});
