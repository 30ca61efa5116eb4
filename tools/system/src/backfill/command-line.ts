/** What the command line of `npm run backfill` may say. */
import { parseArgs } from 'node:util';
import { OpsError, urlVariables } from '../ops/ask';

export type BackfillCommand =
  | { verb: 'help' | 'list' }
  | { verb: 'status'; name?: string }
  | { verb: 'pause'; name: string }
  | { verb: 'run' | 'resume'; name: string; rate?: number; again: boolean; detach: boolean };

const verbs = ['list', 'run', 'status', 'pause', 'resume'] as const;
type Verb = (typeof verbs)[number];

const rate = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const options: Record<Verb, Record<string, { type: 'string' | 'boolean' }>> = {
  list: {},
  status: {},
  pause: {},
  run: { rate, again: flag, detach: flag },
  resume: { rate, detach: flag },
};

/** What the services take. */
const MAX_RATE = 100_000;

export const usage = `Backfills: work on what was there before. Any replica of its service works on one, in the background.

  npm run backfill -- list                                      all backfills of all services
  npm run backfill -- run NAME [--rate N] [--again] [--detach]  runs one, and shows how far it is until it ends
  npm run backfill -- status [NAME]                             how far it is now
  npm run backfill -- pause NAME                                when this answers, nothing more is written
  npm run backfill -- resume NAME [--rate N] [--detach]         goes on where it was paused

  --rate N   the most rows a second, from now on     --again   from the beginning, when it is done already
  --detach   does not wait for the end. Ctrl-C does not either: it ends the watching, and not the backfill.

These say where to ask and as whom: API_KEY (the one of development; it needs the role platform),
${urlVariables}.`;

/** @throws OpsError */
export function readCommand(argv: readonly string[]): BackfillCommand {
  const [verb, ...words] = argv;
  if (argv.some((word) => word === '--help' || word === '-h') || verb === 'help') return { verb: 'help' };
  if (verb === undefined) throw new OpsError(`Say what to do: ${verbs.join(', ')}; --help tells more.`);
  if (!isVerb(verb)) throw new OpsError(`There is no "${verb}"; there are ${verbs.join(', ')}, and --help.`);
  const { values, positionals } = parsed(verb, words);
  const [name, ...more] = positionals;
  if (verb === 'list') {
    if (name !== undefined) throw new OpsError('"list" knows no NAME.');
    return { verb };
  }
  if (more.length > 0) throw new OpsError(`"${more.join(' ')}" is too much behind the NAME.`);
  if (verb === 'status') return { verb, name };
  if (!name) throw new OpsError(`Say which: npm run backfill -- ${verb} NAME.`);
  if (verb === 'pause') return { verb, name };
  return {
    verb,
    name,
    rate: rateOf(values['rate']),
    again: values['again'] === true,
    detach: values['detach'] === true,
  };
}

const isVerb = (word: string): word is Verb => (verbs as readonly string[]).includes(word);

function parsed(verb: Verb, words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: options[verb], allowPositionals: true });
  } catch (error) {
    const [sentence] = (error as Error).message.split(/[.\n]/, 1);
    throw new OpsError(`"${verb}": ${sentence}.`);
  }
}

function rateOf(text: string | boolean | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rate = Number(text);
  if (/^\d+$/.test(String(text)) && rate >= 1 && rate <= MAX_RATE) return rate;
  throw new OpsError(`--rate must be a number of rows a second from 1 to ${MAX_RATE}.`);
}
