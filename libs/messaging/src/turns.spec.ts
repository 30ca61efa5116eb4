import { Turns } from './turns';

/** Works that end when they are told to, and the order in which they began. */
function works() {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const work = (name: string) => () =>
    new Promise<string>((resolve, reject) => {
      begun.push(name);
      ends.set(name, (error) => (error ? reject(error) : resolve(name)));
    });
  return { begun, work, end: (name: string, error?: Error) => ends.get(name)!(error) };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('R46 turns', () => {
  it('R46 let those run together who may, and nobody beside one that is alone', async () => {
    const turns = new Turns();
    const { begun, work, end } = works();
    void turns.runTogether(work('a'));
    void turns.runTogether(work('b'));
    const alone = turns.runAlone(work('suspect'));
    void turns.runTogether(work('late'));
    await settled();
    expect(begun).toEqual(['a', 'b']);
    end('a');
    await settled();
    expect(begun).toEqual(['a', 'b']);
    end('b');
    await settled();
    expect(begun).toEqual(['a', 'b', 'suspect']);
    end('suspect');
    expect(await alone).toBe('suspect');
    await settled();
    expect(begun).toEqual(['a', 'b', 'suspect', 'late']);
  });

  it('R46 let two that are alone run one after the other, also when the first one fails', async () => {
    const turns = new Turns();
    const { begun, work, end } = works();
    const first = turns.runAlone(work('first'));
    const second = turns.runAlone(work('second'));
    await settled();
    expect(begun).toEqual(['first']);
    end('first', new Error('out of luck'));
    await expect(first).rejects.toThrow('out of luck');
    await settled();
    expect(begun).toEqual(['first', 'second']);
    end('second');
    expect(await second).toBe('second');
  });
});
