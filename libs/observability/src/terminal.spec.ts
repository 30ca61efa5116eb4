/** The log as a terminal gets it, in both formats, with texts in it that others have written. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { typescriptProcess } from '@shop/testing';
import { printable } from './printable';

const evil = '\x1b[2J\x9b2J\x7f\u202e\u2066\u2028\u2029\r\n[12:00:00.000] INFO: forged\ud800';

/** What a process writes that has a `logger` and `evil` and runs the script. */
async function logged(format: 'json' | 'pretty', script: string): Promise<string> {
  const logger = `require('@shop/observability').createLogger({ service: 'test', level: 'info', format: '${format}', colour: false })`;
  const { command, args } = typescriptProcess({
    script: `const logger = ${logger};\nconst evil = ${printableLiteral(evil)};\n${script}`,
  });
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return text(child.stdout);
}

const printableLiteral = (value: string): string =>
  JSON.stringify(value).replace(/[^ -~]/gu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

const linesIn = (output: string): string[] => output.split('\n').filter(Boolean);

const everywhere: [where: string, script: string][] = [
  ['a value', `logger.info({ reason: evil }, 'test.told')`],
  ['a name', `logger.info({ [evil]: 1 }, 'test.told')`],
  ['something nested', `logger.info({ result: { [evil]: [evil, { deep: evil }] } }, 'test.told')`],
  ['the event', `logger.info({}, evil)`],
  [
    'a transition',
    `logger.info({ from: evil, to: evil, saga: evil, by: evil, reason: evil, orderId: evil, attempt: 2, durationMs: evil }, evil)`,
  ],
  ['what looks like an error of the printer', `logger.info({ type: 'Error', stack: evil }, 'test.told')`],
  [
    'what the printer shows by itself',
    `logger.info({ name: evil, pid: evil, hostname: evil, caller: evil }, 'test.told')`,
  ],
  ['what the logger says', `logger.info({ level: evil, time: evil, service: evil, event: evil }, 'test.told')`],
  ['the message of an error', `logger.error({ err: new Error(evil, { cause: new Error(evil) }) }, 'test.failed')`],
  ['the stack of an error', `logger.error({ err: Object.assign(new Error('x'), { stack: evil }) }, 'test.failed')`],
  ['a message of the framework', `new (require('@shop/observability').NestLog)(logger).warn(evil, evil)`],
];

describe.each(everywhere)('R48 a text of others in %s', (_, script) => {
  it('R48 is one line of JSON, in which nothing is left that a terminal obeys', async () => {
    const output = await logged('json', script);
    const lines = linesIn(output);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toBe(printable(lines[0]!));
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: expect.stringMatching(/^(info|warn|error)$/),
      time: expect.stringMatching(/^\d{4}-/),
      service: 'test',
    });
  });

  it('R48 forges no line for people, and nothing is left that a terminal obeys', async () => {
    const lines = linesIn(await logged('pretty', script));
    expect(lines.filter((line) => line !== printable(line))).toEqual([]);
    expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] (INFO|WARN|ERROR): test /);
    // What belongs to an error stands further right than any line of the log begins.
    expect(lines.slice(1).filter((line) => !line.startsWith('    '))).toEqual([]);
  });
});

describe('R48 a line for people', () => {
  it('R48 shows what happened, with its fields', async () => {
    const output = await logged('pretty', `logger.info({ orderId: '7', result: { sku: 'cup' } }, 'test.told')`);
    expect(output).toMatch(/^\[.{12}\] INFO: test {6}test\.told orderId=7 result=\{"sku":"cup"\}\n$/);
  });

  it('R48 shows the lines of a stack', async () => {
    const lines = linesIn(await logged('pretty', `logger.error({ err: new Error('for the test') }, 'test.failed')`));
    expect(lines[1]).toBe('    Error: for the test');
    expect(lines[2]).toMatch(/^ {8}at /);
  });
});
