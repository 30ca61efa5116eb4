import { Bulkhead } from './bulkhead';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a test has left: nobody waits on behind it. */
const left: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const finish of left.splice(0)) await finish();
});

function openBulkhead(calls: number, maxWaiting = 1_000) {
  const bulkhead = new Bulkhead({ calls, maxWaiting });
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const run = (name: string, maxWaitMs = 60_000) =>
    bulkhead.run(
      () => {
        begun.push(name);
        return new Promise<string>((resolve, reject) =>
          ends.set(name, (error) => (error ? reject(error) : resolve(name))),
        );
      },
      { turn: name[0]!, maxWaitMs },
    );
  const end = async (name: string, error?: Error) => {
    ends.get(name)!(error);
    await tick();
  };
  left.push(async () => {
    for (const name of begun) await end(name);
  });
  return { run, end, begun };
}

describe('R45 Bulkhead', () => {
  it('R45 makes so many calls at once, and a failed one makes room like any other', async () => {
    const { run, end, begun } = openBulkhead(2);
    const all = ['a1', 'a2', 'a3', 'a4'].map((name) => run(name));
    await tick();
    expect(begun).toEqual(['a1', 'a2']);
    await end('a2');
    expect(begun).toEqual(['a1', 'a2', 'a3']);
    const failed = expect(all[0]).rejects.toThrow('down');
    await end('a1', new Error('down'));
    await failed;
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4']);
    await end('a3');
    await end('a4');
    expect(await Promise.all(all.slice(1))).toEqual(['a2', 'a3', 'a4']);
    void run('a5');
    void run('a6');
    void run('a7');
    await tick();
    expect(begun.slice(4)).toEqual(['a5', 'a6']);
  });

  it('R54 gives the places to those who wait in turn', async () => {
    const { run, end, begun } = openBulkhead(1);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2']) void run(name);
    await tick();
    for (const name of ['a1', 'a2', 'b1', 'a3', 'b2']) await end(name);
    expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'b2', 'a4']);
  });

  it('R45 refuses who has waited too long, calls nothing for it, and gives its place to the next one', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const { run, end, begun } = openBulkhead(1);
    void run('a1');
    const late = expect(run('a2', 100)).rejects.toThrow('no turn for a call came within 100 ms');
    void run('a3');
    await tick();
    jest.advanceTimersByTime(100);
    await late;
    await end('a1');
    expect(begun).toEqual(['a1', 'a3']);
    await end('a3');
    void run('a4');
    await tick();
    expect(begun).toEqual(['a1', 'a3', 'a4']);
    jest.useRealTimers();
  });

  it('R45 lets only so many wait', async () => {
    const { run } = openBulkhead(1, 1);
    void run('a1');
    void run('a2');
    await expect(run('a3')).rejects.toThrow('too many calls wait');
  });
});
