import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesAbout, readLines } from './log-tail';

const line = (time: string, sagaId: string, event = 'saga.moved') =>
  JSON.stringify({ level: 'info', time, service: 'order', event, sagaId });

describe('the log about a saga', () => {
  it('has the lines of every service in the order of time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'console-log-'));
    try {
      writeFileSync(join(folder, 'order.log'), `${line('3', 'a')}\n${line('4', 'b')}\n`);
      writeFileSync(join(folder, 'payment.log'), `${line('1', 'a')}\nnot json\n${line('5', 'a').slice(0, -4)}`);
      writeFileSync(join(folder, 'notes.txt'), line('2', 'a'));
      expect((await linesAbout(folder, ['"a"'])).map(({ time }) => time)).toEqual(['1', '3']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps what a line says beside its own fields', () => {
    expect(readLines(line('1', 'a'), ['a'])).toEqual([
      { time: '1', level: 'info', service: 'order', event: 'saga.moved', fields: { sagaId: 'a' } },
    ]);
  });

  it('has no end of lines, but the newest', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'console-log-'));
    try {
      const many = Array.from({ length: 1_000 }, (_, index) => line(String(index).padStart(4, '0'), 'a'));
      writeFileSync(join(folder, 'order.log'), many.join('\n'));
      const lines = await linesAbout(folder, ['a']);
      expect(lines).toHaveLength(200);
      expect(lines.at(-1)?.time).toBe('0999');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
