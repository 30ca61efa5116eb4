import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const script = join(__dirname, '..', '..', '..', 'start.cjs');
const run = (...argv: string[]) =>
  promisify(execFile)(process.execPath, [script, 'ops', ...argv], {
    env: { ...process.env, ORDER_URL: 'http://127.0.0.1:1' },
  });

describe('the process of npm run ops', () => {
  it('R6 R46 helps at once, without a build', async () => {
    const { stdout, stderr } = await run('sagas', '--help');
    expect(stdout).toContain('npm run ops -- dead-letters list');
    expect(stderr).toBe('');
  });

  it.each([[['sagas', 'lists']], [['sagas', 'list']], [['dead-letters', 'show']]])(
    'R6 R46 ends with one sentence and a failure when it cannot do %j',
    async (argv) => {
      const failed = (await run(...argv).catch((error: unknown) => error)) as { code: number; stderr: string };
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(/^[A-Z][^\n]+[.?]\n$/);
    },
  );
});
