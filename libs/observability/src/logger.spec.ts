import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { typescriptProcess } from '@shop/testing';

interface Line {
  level: string;
  time: string;
  service: string;
  event: string;
  n?: number;
  count?: number;
}

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

/** Starts a process that has a `logger` and runs the script. */
function startLogging(script: string) {
  const logger = `require('@shop/observability').createLogger({ service: 'test', level: 'info', format: 'json' })`;
  const { command, args } = typescriptProcess({ script: `const logger = ${logger};\n${script}` });
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

const linesOf = (output: string): Line[] =>
  output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
const byNumber = (one: Line, other: Line) => one.n! - other.n!;
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('R48 createLogger', () => {
  // A line that is being written when the process ends may come after the last lines. So this test does not check the
  // order.
  it('R48 has written every line once when the process exits right away', async () => {
    const child = startLogging(`
      for (let n = 0; n < 10_000; n++) logger.info({ n, text: 'ä' }, 'test.told');
      process.exit(0);
    `);
    const lines = linesOf(await text(child.stdout)).sort(byNumber);
    expect(lines.map(({ n }) => n)).toEqual(upTo(10_000));
    expect(lines[0]).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      service: 'test',
      n: 0,
      text: 'ä',
      event: 'test.told',
    });
  });

  it('R48 has written every line also when the process dies of an error', async () => {
    const child = startLogging(`
      logger.info({ n: 0 }, 'test.told');
      process.on('uncaughtException', () => {
        logger.error({ n: 1 }, 'test.failed');
        process.exit(1);
      });
      setImmediate(() => { throw new Error('for the test'); });
    `);
    const lines = linesOf(await text(child.stdout)).sort(byNumber);
    expect(lines.map(({ n }) => n)).toEqual([0, 1]);
  });

  it('R45 lets the process end when nobody reads its lines any more', async () => {
    const child = startLogging(`
      process.stdin.once('data', () => {
        for (let n = 0; n < 1_000; n++) logger.info({ n }, 'test.told');
        process.exit(0);
      });
    `);
    child.stdout.destroy();
    await once(child.stdout, 'close');
    child.stdin.write('go');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('R45 goes on when nobody reads its lines any more', async () => {
    const child = startLogging(`
      process.stdin.once('data', () => {
        // Enough for a write right away, whose error comes in a later turn.
        const tell = () => { for (let n = 0; n < 100; n++) logger.info('test.told'); };
        tell();
        setTimeout(tell, 50);
        setTimeout(() => process.exit(0), 100);
      });
    `);
    child.stdout.destroy();
    await once(child.stdout, 'close');
    child.stdin.write('go');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('R45 writes lines in order, drops those that nobody takes beyond a limit, and tells how many', async () => {
    // In one turn of the event loop, the first lines are being written and all others wait.
    const child = startLogging(`
      const text = '.'.repeat(1_000);
      for (let n = 0; n < 20_000; n++) logger.info({ n, text }, 'test.told');
    `);
    const lines = linesOf(await text(child.stdout));
    const dropped = lines.find(({ event }) => event === 'log.lines-dropped')!;
    expect(dropped).toMatchObject({ level: 'warn', service: 'test' });
    expect(dropped.count).toBeGreaterThan(0);
    const kept = lines.filter(({ event }) => event === 'test.told').map(({ n }) => n);
    expect(kept).toEqual(upTo(20_000 - dropped.count!));
  });
});
