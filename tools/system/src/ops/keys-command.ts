/** What the command line of `npm run ops -- keys` may say. */
import { parseArgs } from 'node:util';
import { OpsError } from './ask';

export type KeysCommand = { subject: 'keys'; tenant?: string } & (
  | { verb: 'list' }
  | { verb: 'add'; id: string; principal: string; roles: string[]; expiresAt?: string }
  | { verb: 'revoke'; id: string }
);

const VERBS = ['list', 'add', 'revoke'];
const text = { type: 'string' } as const;
const options = {
  list: { tenant: text },
  add: { tenant: text, principal: text, roles: text, expires: text },
  revoke: { tenant: text },
};

/** @throws OpsError */
export function readKeysCommand(verb: string | undefined, words: readonly string[]): KeysCommand {
  if (verb === undefined) throw new OpsError(`Say what to do: ${VERBS.join(', ')}; --help tells more.`);
  if (verb !== 'list' && verb !== 'add' && verb !== 'revoke') {
    throw new OpsError(`There is no "keys ${verb}"; there are ${VERBS.join(', ')}, and --help.`);
  }
  const { values, positionals } = parsed(words, verb);
  const [id, ...more] = positionals;
  const { tenant, principal, roles, expires } = values;
  if (verb === 'list') {
    if (id !== undefined) throw new OpsError('"keys list" knows no ID.');
    return { subject: 'keys', verb, tenant };
  }
  if (!id) throw new OpsError(`Say which: npm run ops -- keys ${verb} ID.`);
  if (more.length > 0) throw new OpsError(`"${more.join(' ')}" is too much behind the ID.`);
  if (verb === 'revoke') return { subject: 'keys', verb, id, tenant };
  if (!principal) throw new OpsError(`Say who calls with it: npm run ops -- keys add ${id} --principal P --roles R+R.`);
  if (!roles) throw new OpsError(`Say what it may do: npm run ops -- keys add ${id} --principal P --roles R+R.`);
  return { subject: 'keys', verb, id, tenant, principal, roles: roles.split('+'), expiresAt: instantOf(expires) };
}

type Values = Partial<Record<'tenant' | 'principal' | 'roles' | 'expires', string>>;

function parsed(words: readonly string[], verb: 'list' | 'add' | 'revoke'): { values: Values; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: options[verb], allowPositionals: true });
    // All of them are texts.
    return { values: values as Values, positionals };
  } catch (error) {
    const [sentence] = (error as Error).message.split(/[.\n]/, 1);
    throw new OpsError(`"keys ${verb}": ${sentence}.`);
  }
}

function instantOf(when: string | undefined): string | undefined {
  if (when === undefined) return undefined;
  const instant = new Date(when);
  if (Number.isNaN(instant.getTime())) throw new OpsError('--expires must be a time, such as 2027-01-31T12:00:00Z.');
  return instant.toISOString();
}
