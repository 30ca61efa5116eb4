import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@shop/testing';
import { LineWriter } from './line-writer';

let folder: string;
let file: string;
let fd: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lines-'));
  file = join(folder, 'log');
  fd = openSync(file, 'w');
});
afterEach(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const written = () => readFileSync(file, 'utf8');
const linesOf = (count: number) => Array.from({ length: count }, (_, index) => `line ${index} ä\n`);

describe('R48 a line writer', () => {
  it('R48 writes every line once and in order, soon', async () => {
    const writer = new LineWriter(fd);
    const lines = linesOf(10_000);
    for (const [index, line] of lines.entries()) {
      writer.write(line);
      if (index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => expect(written()).toBe(lines.join('')));
  });

  it('R48 writes what waits before it returns, for the end of a process', () => {
    const writer = new LineWriter(fd);
    const lines = linesOf(100);
    for (const line of lines) writer.write(line);
    writer.flushSync();
    expect(written()).toBe(lines.join(''));
  });

  it('R45 drops lines that nobody takes beyond a limit, and tells how many', async () => {
    const writer = new LineWriter(fd);
    // In one turn of the event loop nothing can be finished: the first block is on its way, the others wait.
    const lines = linesOf(100_200);
    for (const line of lines) writer.write(line);
    writer.flushSync();
    await eventually(() => {
      const told = /{"level":"warn","event":"log.lines-dropped","count":(\d+)}\n/.exec(written())!;
      const count = Number(told[1]);
      expect(count).toBeGreaterThan(0);
      const kept = written().replace(told[0], '').split('\n').filter(Boolean);
      expect(kept.sort()).toEqual(
        lines
          .slice(0, lines.length - count)
          .map((line) => line.trimEnd())
          .sort(),
      );
    });
  });
});
