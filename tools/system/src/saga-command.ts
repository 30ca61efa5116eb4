/** What the command line of `npm run saga` may say. */

const statuses = ['parked', 'running', 'compensating'] as const;
const acts = ['retry', 'skip', 'cancel'] as const;

export type SagaCommand =
  | { name: 'help' }
  | { name: 'list'; status: (typeof statuses)[number] | undefined }
  | { name: 'show'; id: string }
  | { name: (typeof acts)[number]; id: string; reason: string | undefined };

/** Thrown when the command line cannot be read; its message is one sentence. */
export class UsageError extends Error {}

export const usage = `What operators do about sagas, over the HTTP API of the order service.

  npm run saga -- list [--status parked|running|compensating]   those that have not ended, newest first
  npm run saga -- show ID                                       where one stands, and how it got there
  npm run saga -- retry ID [--reason TEXT]                      sends the awaited command again, now
  npm run saga -- skip ID --reason TEXT                         takes the step it is parked at as done by hand
  npm run saga -- cancel ID [--reason TEXT]                     turns it back, or takes it back at its end

What is done stands in the saga's history, with who did it and why.
ORDER_URL (http://127.0.0.1:3000) and API_KEY (the one of development) say where to ask and as whom.`;

const names = ['list', 'show', ...acts];

/** @throws UsageError */
export function readCommand(argv: readonly string[]): SagaCommand {
  if (argv.some((word) => word === '--help' || word === '-h')) return { name: 'help' };
  const [name, ...rest] = argv;
  if (name === undefined) throw new UsageError(`Say what to do: ${names.join(', ')}; --help tells more.`);
  if (name === 'list') return { name, status: statusIn(optionIn(rest, 'status', `saga ${name}`)) };
  const act = acts.find((one) => one === name);
  if (name !== 'show' && !act) {
    throw new UsageError(`There is no "saga ${name}"; there are ${names.join(', ')}, and --help.`);
  }
  const [id, ...options] = rest;
  if (!id || id.startsWith('--')) throw new UsageError(`Say which saga: npm run saga -- ${name} ID.`);
  if (!act) {
    optionIn(options, undefined, 'saga show');
    return { name: 'show', id };
  }
  const reason = optionIn(options, 'reason', `saga ${act}`);
  if (act === 'skip' && !reason?.trim()) {
    throw new UsageError(`Say why the step counts as done: npm run saga -- skip ID --reason "…".`);
  }
  return { name: act, id, reason };
}

/** The value of the one option that may stand there. */
function optionIn(words: readonly string[], known: string | undefined, command: string): string | undefined {
  if (words.length === 0) return undefined;
  const [word, value, ...more] = words;
  if (known === undefined || word !== `--${known}`) {
    throw new UsageError(`"${command}" knows ${known ? `no ${word} but --${known}` : `nothing behind its ID`}.`);
  }
  if (value === undefined) throw new UsageError(`--${known} needs a value behind it.`);
  if (more.length > 0) {
    throw new UsageError(`"${more.join(' ')}" is too much; put quotes around the value of --${known}.`);
  }
  return value;
}

function statusIn(text: string | undefined) {
  const found = statuses.find((one) => one === text);
  if (text === undefined || found) return found;
  throw new UsageError(`--status must be one of ${statuses.join(', ')}, and "${text}" is not.`);
}
