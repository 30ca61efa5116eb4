// Tests that programs are ready when promised, restart, and are gone afterwards.
import { freePort, isAlive } from '@shop/stack';
import { startProcess } from './child-process';
import { eventually } from './eventually';
import { typescriptProcess } from './typescript-process';

const node = (script: string): { command: string; args: string[] } => ({
  command: process.execPath,
  args: ['-e', script],
});

test('is ready when its output matches, restarts as a new process and is gone when closed', async () => {
  const script = `console.log('ready as ' + process.pid); setInterval(() => {}, 1000)`;
  const child = await startProcess({ name: 'child', ...node(script), readyPattern: /ready as \d+/ });
  const first = child.pid;
  expect(child.output()).toBe(`ready as ${first}\n`);
  const ended = child.exited;
  await child.restart();
  expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
  expect(child.pid).not.toBe(first);
  expect(child.output()).toBe(`ready as ${first}\nready as ${child.pid}\n`);
  await child.close();
  expect(child.running).toBe(false);
  expect([first, child.pid].some(isAlive)).toBe(false);
  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
});

test('is ready when its URL answers 2xx and not before', async () => {
  const port = await freePort();
  const script = `
    let asked = 0;
    require('node:http').createServer((_, response) => {
      asked += 1;
      response.writeHead(asked < 3 ? 503 : 204).end(() => console.log('asked ' + asked));
    }).listen(${port}, '127.0.0.1')`;
  const child = await startProcess({ name: 'server', ...node(script), readyUrl: `http://127.0.0.1:${port}/` });
  await eventually(() => expect(child.output()).toContain('asked 3'));
  await child.close();
});

test('reports the exit code and the output of a program that ends before it is ready', async () => {
  const starting = startProcess({
    name: 'broken',
    ...node(`console.error('no luck'); process.exit(3)`),
    readyPattern: /x/,
  });
  await expect(starting).rejects.toThrow(/^broken ended before it was ready \(exit code 3\); its output was: no luck/);
});

test('reports a program that cannot be found', async () => {
  const starting = startProcess({ name: 'nothing', command: '/nonexistent/program', readyPattern: /program/ });
  await expect(starting).rejects.toThrow('ENOENT');
});

test('ends a program that is not ready in time', async () => {
  const script = `console.log(process.pid); setInterval(() => {}, 1000)`;
  const starting = startProcess({ name: 'slow', ...node(script), readyPattern: /never/, readyTimeoutMs: 300 });
  const error = await starting.then(
    () => new Error('it was ready'),
    (reason: Error) => reason,
  );
  expect(error.message).toContain('slow was not ready after 300 ms');
  const pid = Number(/was: (\d+)/.exec(error.message)?.[1]);
  expect(isAlive(pid)).toBe(false);
});

test('ends the processes that the program started as well', async () => {
  const script = `
    const { spawn } = require('node:child_process');
    const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    console.log('grandchild ' + grandchild.pid);
    setInterval(() => {}, 1000)`;
  const child = await startProcess({ name: 'parent', ...node(script), readyPattern: /grandchild \d+/ });
  const pid = Number(/grandchild (\d+)/.exec(child.output())?.[1]);
  expect(isAlive(pid)).toBe(true);
  await child.close();
  await eventually(() => expect(isAlive(pid)).toBe(false));
});

test('keeps only the end of a long output', async () => {
  const script = `for (let i = 0; i < 20000; i += 1) console.log('line ' + i + ' '.repeat(20)); console.log('the end')`;
  const child = await startProcess({ name: 'talker', ...node(script), readyPattern: /the end/ });
  await child.exited;
  expect(child.output().length).toBeLessThanOrEqual(262_144);
  expect(child.output()).toContain('the end');
  await child.close();
});

test('is killed when the test that started it is killed', async () => {
  const script = `
    const { startProcess } = require('@shop/testing');
    startProcess({ name: 'child', command: 'sleep', args: ['60'] }).then((child) => console.log('child ' + child.pid));
    setInterval(() => {}, 1000)`;
  const outer = await startProcess({ name: 'outer', ...typescriptProcess({ script }), readyPattern: /child \d+/ });
  const pid = Number(/child (\d+)/.exec(outer.output())?.[1]);
  expect(isAlive(pid)).toBe(true);
  // In a group of its own, so only the guard can end it.
  outer.kill('SIGKILL');
  await eventually(() => expect(isAlive(pid)).toBe(false));
});
