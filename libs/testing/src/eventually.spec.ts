// Tests that eventually waits as long as needed and reports the last error.
import { eventually } from './eventually';

test('returns as soon as the assertion holds', async () => {
  let tries = 0;
  const answer = await eventually(
    () => {
      tries += 1;
      if (tries < 3) throw new Error('too early');
      return 'there';
    },
    { intervalMs: 1 },
  );
  expect(answer).toBe('there');
  expect(tries).toBe(3);
});

test('throws the last error when the time is up', async () => {
  let tries = 0;
  const failing = eventually(
    async () => {
      tries += 1;
      throw new Error(`try ${tries}`);
    },
    { timeoutMs: 30, intervalMs: 5 },
  );
  await expect(failing).rejects.toThrow(/^try \d+$/);
  await expect(failing).rejects.toThrow(`try ${tries}`);
  expect(tries).toBeGreaterThan(1);
});
