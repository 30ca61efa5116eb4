import { eventually } from '@shop/testing';
import { DueTimer } from './due-timer';

const HOUR_MS = 3_600_000;
let timer: DueTimer;
let runs: number;
let answers: (number | Error)[];
let failures: unknown[];

beforeEach(() => {
  [runs, answers, failures] = [0, [], []];
});
afterEach(() => timer.stop());

/** Its runs answer as `answers` says, and then that nothing is due for an hour. */
function begin(atMostMs = HOUR_MS): void {
  const job = async (): Promise<number> => {
    runs += 1;
    const answer = answers.shift() ?? HOUR_MS;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  timer = new DueTimer({ job, atMostMs, onFailure: (error) => failures.push(error) });
  timer.start();
}
const haveRun = (count: number) => eventually(async () => expect(runs).toBe(count));

describe('a timer of due work', () => {
  it('runs at once, and again as long as there is more', async () => {
    answers = [0, 0, 1];
    begin();
    await haveRun(4);
  });

  it('is woken by what is due sooner than it thought, and not by what is due later', async () => {
    begin();
    await haveRun(1);
    timer.expectIn(2 * HOUR_MS);
    timer.expectIn(1);
    await haveRun(2);
  });

  it('remembers what is said while it runs', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const job = async (): Promise<number> => {
      runs += 1;
      await held;
      return HOUR_MS;
    };
    timer = new DueTimer({ job, atMostMs: HOUR_MS, onFailure: (error) => failures.push(error) });
    timer.start();
    await haveRun(1);
    timer.expectIn(1);
    release();
    await haveRun(2);
  });

  it('looks again after its longest sleep, also after a failure, which it tells', async () => {
    answers = [HOUR_MS, new Error('away'), HOUR_MS];
    begin(1);
    await eventually(async () => expect(runs).toBeGreaterThan(3));
    expect(failures).toEqual([new Error('away')]);
  });

  it('does not run any more when it is stopped', async () => {
    begin();
    await haveRun(1);
    await timer.stop();
    timer.expectIn(0);
    expect(runs).toBe(1);
  });
});
