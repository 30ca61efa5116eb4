import { terminalLog } from './terminal-log';

function open() {
  const [lines, others]: [string[], string[]] = [[], []];
  const into = (list: string[]) => ({ write: (text: string) => list.push(text) });
  return { lines, others, log: terminalLog(false, { screen: into(lines), other: into(others) }) };
}

describe('the log in the terminal', () => {
  it('puts the pieces of each process together', () => {
    const { lines, log } = open();
    log('{"event":"a', 1);
    log('{"event":"b"}\n', 2);
    log('"}\n{"event":"c"}\n', 1);
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([{ event: 'b' }, { event: 'a' }, { event: 'c' }]);
  });

  it('says what is no line of the log too, and nothing that moves the cursor', () => {
    const { lines, others, log } = open();
    log('cannot start: \u001b[2J port 3000\n{broken\n\n', 1);
    expect(lines).toEqual([]);
    expect(others.join('')).not.toContain('\u001b');
    expect(others.join('')).toMatch(/cannot start.*port 3000\n\{broken\n$/s);
  });
});
