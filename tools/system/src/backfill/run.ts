/** Carries out `npm run backfill`: tells a service what to do with a backfill, and watches it. */
import { OpsError } from '../ops/ask';
import { tableOf } from '../ops/table';
import { allBackfills, type Backfill, findBackfill, type Found, readAgain, tell } from './backfills';
import { type BackfillCommand, readCommand, usage } from './command-line';
import { numberOf, type Progress, shareOf } from './progress';

export interface Screen {
  write(line: string): void;
  progress(): Progress;
  /** Ends the watching. */
  stop: AbortSignal;
  /** Between two looks. */
  everyMs?: number;
}

const LOOK_EVERY_MS = 1_000;
/** A service that is killed or moved is back by then. */
const MAX_LOOKS_IN_VAIN = 30;

/** @throws OpsError */
export async function runBackfill(argv: readonly string[], env: NodeJS.ProcessEnv, screen: Screen): Promise<void> {
  const command = readCommand(argv);
  switch (command.verb) {
    case 'help':
      return screen.write(usage);
    case 'list':
      return list(env, screen);
    case 'status':
      return command.name === undefined ? list(env, screen) : status(await findBackfill(env, command.name), screen);
    case 'pause': {
      const paused = await tell(await findBackfill(env, command.name), { status: 'paused' });
      return screen.write(`${paused.name} is paused: ${shareOf(paused)}.`);
    }
    case 'run':
    case 'resume':
      return run(command, await findBackfill(env, command.name), screen);
  }
}

async function list(env: NodeJS.ProcessEnv, screen: Screen): Promise<void> {
  const { found, away } = await allBackfills(env);
  const rows = found.map(({ service, backfill }) => {
    const { name, title, ratePerSecond } = backfill;
    return [service.name, name, backfill.status, shareOf(backfill), `${numberOf(ratePerSecond)}/s`, title];
  });
  if (rows.length > 0) {
    for (const line of tableOf([['SERVICE', 'NAME', 'STATUS', 'WORKED ON', 'AT MOST', 'WHAT'], ...rows]))
      screen.write(line);
  } else if (away.length === 0) screen.write('There is none.');
  // What is shown is not all.
  if (away.length > 0) throw away[0]!;
}

function status({ service, backfill }: Found, { write }: Screen): void {
  const { name, title, runs, ratePerSecond, lastError, startedAt, workedAt, endedAt } = backfill;
  write(`${name} of ${service.name}: ${title}`);
  write(`  ${backfill.status}, ${shareOf(backfill)}, at most ${numberOf(ratePerSecond)} rows/s, run ${runs}`);
  const times = { begun: startedAt, 'last step': workedAt, ended: endedAt };
  for (const [what, time] of Object.entries(times)) if (time !== null) write(`  ${what} ${time}`);
  if (lastError !== null) write(`  the last try failed: ${lastError}`);
}

type Run = Extract<BackfillCommand, { verb: 'run' | 'resume' }>;

async function run({ verb, rate, again, detach }: Run, found: Found, screen: Screen): Promise<void> {
  const { name, status, runs } = found.backfill;
  if (verb === 'resume' && status !== 'paused' && status !== 'failed') {
    throw new OpsError(
      `${name} is ${status}, and not paused${status === 'running' ? '' : `; npm run backfill -- run ${name} runs it`}.`,
    );
  }
  if (status === 'done' && !again) {
    throw new OpsError(`${name} is done; npm run backfill -- run ${name} --again runs it from the beginning.`);
  }
  // The number of the run makes a repeat of this request harmless.
  const isNew = status === 'idle' || status === 'done';
  const told = await tell(found, { status: 'running', ratePerSecond: rate, run: isNew ? runs + 1 : runs });
  if (detach) return screen.write(`${name} runs in ${found.service.name}: ${shareOf(told)}.`);
  return conclude(found, await watch(found, told, screen), screen);
}

/** Until it does not run any more, or nobody looks any more. */
async function watch(
  found: Found,
  told: Backfill,
  { progress, stop, everyMs = LOOK_EVERY_MS }: Screen,
): Promise<Backfill> {
  const shown = progress();
  let seen = told;
  try {
    for (let inVain = 0; ;) {
      shown.show(seen, performance.now());
      if (seen.status !== 'running' || !(await waits(everyMs, stop))) return seen;
      try {
        seen = await readAgain(found);
        inVain = 0;
      } catch (error) {
        if (++inVain > MAX_LOOKS_IN_VAIN) throw error;
      }
    }
  } finally {
    shown.end();
  }
}

/** False when it is to stop. */
function waits(ms: number, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve(false);
    const end = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
      resolve(!stop.aborted);
    };
    const timer = setTimeout(end, ms);
    stop.addEventListener('abort', end);
  });
}

function conclude({ service }: Found, backfill: Backfill, { write }: Screen): void {
  const { name, status, lastError } = backfill;
  const far = shareOf(backfill);
  if (status === 'failed') throw new OpsError(`${name} gave up after ${far}: ${lastError ?? 'nobody knows why'}.`);
  if (status === 'running')
    write(`${name} runs on in ${service.name}: ${far}; npm run backfill -- pause ${name} stops it.`);
  else write(`${name} is ${status}: ${far}.`);
}
