/** Backfills in two real processes that are killed ten times, at random instants. */
import { join } from 'node:path';
import {
  eventually,
  type RunningProcess,
  seededRandom,
  startProcess,
  typescriptProcess,
  useStack,
} from '@shop/testing';
import { type Library, openLibrary } from '../testing/library';

useStack();

const KILLS = 10;
/** More than are worked on between the kills. */
const BOOKS = 4_000;
const TIMEOUT_MS = 240_000;
const random = seededRandom(Number(process.env['BACKFILL_SEED'] ?? Math.trunc(Math.random() * 2 ** 31)));

let library: Library;
let replicas: RunningProcess[];
beforeAll(async () => {
  library = await openLibrary(BOOKS);
  replicas = await Promise.all(['first', 'second'].map((name) => start(name)));
});
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.close()));
  await library.close();
});

const start = (name: string) =>
  startProcess({
    name,
    ...typescriptProcess(join(__dirname, '../testing/example-main.ts')),
    env: { ...process.env, DATABASE_URL: library.url, LEASE_MS: '300', STEP_SECONDS: '0.02' },
    readyPattern: /the library is open/,
  });

const workedOn = async () =>
  (await library.stateOf('mark-books')).worked + (await library.stateOf('copy-books')).worked;

const tellBoth = async (wish: Parameters<Library['tell']>[1]) => {
  for (const name of ['mark-books', 'copy-books']) await library.tell(name, wish);
};

/** Until they have gone on by a random number of rows. */
async function moreWork(): Promise<void> {
  const wanted = (await workedOn()) + 1 + random.int(60);
  const options = { timeoutMs: 20_000, intervalMs: 1 + random.int(20) };
  await eventually(async () => expect(await workedOn()).toBeGreaterThanOrEqual(wanted), options);
}

describe(`backfills that are killed (BACKFILL_SEED=${random.seed})`, () => {
  it(
    'R42 work on each row once, however often their processes are killed',
    async () => {
      await tellBoth({ status: 'running', ratePerSecond: 150 });
      for (let kill = 0; kill < KILLS; kill++) {
        await moreWork();
        const killed = random.pick([[0], [1], [0, 1]]);
        for (const index of killed) replicas[index]!.kill('SIGKILL');
        // The other one takes over what the killed one had.
        if (killed.length === 1) await moreWork();
        // Nothing is done while processes start, which takes longer on a busy machine.
        await tellBoth({ status: 'paused' });
        await Promise.all(killed.map((index) => replicas[index]!.restart('SIGKILL')));
        await tellBoth({ status: 'running' });
      }
      // The kills were in the middle of the work.
      expect(await library.stateOf('mark-books')).toMatchObject({ status: 'running' });
      expect(await library.stateOf('copy-books')).toMatchObject({ status: 'running' });
      await tellBoth({ status: 'running', ratePerSecond: 100_000 });
      for (const name of ['mark-books', 'copy-books']) {
        await eventually(async () => expect(await library.stateOf(name)).toMatchObject({ status: 'done' }), {
          timeoutMs: 60_000,
        });
        expect(await library.stateOf(name)).toMatchObject({ worked: BOOKS });
      }
      expect(await library.counts()).toEqual({ books: BOOKS, marked: [1], copied: [1] });
    },
    TIMEOUT_MS,
  );
});
