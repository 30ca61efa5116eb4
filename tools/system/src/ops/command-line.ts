/** What the command line of `npm run ops` may say. */
import { OpsError, urlVariables } from './ask';
import { type KeysCommand, readKeysCommand } from './keys-command';

export type SagaVerb = 'list' | 'groups' | 'find' | 'show' | 'retry' | 'skip' | 'cancel' | 'hold' | 'resume';
export type LetterVerb = 'list' | 'show' | 'replay' | 'discard';
export type ErasureVerb = 'customer' | 'tenant';

export interface Command<Subject, Verb> {
  subject: Subject;
  verb: Verb;
  /** Of what is meant; empty for a list. */
  id: string;
  /** Of the one option that the verb has. */
  option?: string;
}
export type SagaCommand = Command<'sagas', SagaVerb>;
export type LetterCommand = Command<'dead-letters', LetterVerb>;
export type ErasureCommand = Command<'erase', ErasureVerb>;
type Subject = (SagaCommand | LetterCommand | ErasureCommand)['subject'];

/** What may stand behind a verb. */
interface Form {
  option?: 'status' | 'state' | 'reason';
  values?: readonly string[];
  /** Why the option has to be there. */
  because?: string;
}
const optional: Form = { option: 'reason' };
const forms: Record<Subject, Record<string, Form>> = {
  sagas: {
    list: { option: 'status', values: ['parked', 'running', 'compensating', 'completed', 'compensated', 'all'] },
    groups: {},
    find: {},
    show: {},
    retry: optional,
    skip: { option: 'reason', because: 'Say why the step counts as done' },
    cancel: optional,
    hold: { option: 'reason', because: 'Say why it is held' },
    resume: optional,
  } satisfies Record<SagaVerb, Form>,
  'dead-letters': {
    list: { option: 'state', values: ['open', 'replayed', 'discarded', 'all'] },
    show: {},
    replay: { option: 'reason', because: 'Say why it will be done now' },
    discard: { option: 'reason', because: 'Say why nothing is to be done any more' },
  } satisfies Record<LetterVerb, Form>,
  erase: { customer: {}, tenant: {} } satisfies Record<ErasureVerb, Form>,
};

export const usage = `What operators do in a running system, over the HTTP APIs of its services.

  npm run ops -- sagas list [--status STATUS]                             those that have not ended, newest first; or
                                parked, running, compensating, completed, compensated, all
  npm run ops -- sagas groups                                             the parked ones by where and why
  npm run ops -- sagas find ID                                            by order, saga, payment, customer, idempotency
                                key, or what the provider calls the payment
  npm run ops -- sagas show ID                                            how a saga, or an order, got where it is
  npm run ops -- sagas retry ID [--reason TEXT]                           sends the awaited command again, now
  npm run ops -- sagas skip ID --reason TEXT                              takes the step it is parked at as done by hand
  npm run ops -- sagas cancel ID [--reason TEXT]                          turns it back, or takes it back at its end
  npm run ops -- sagas hold ID --reason TEXT                              it sends nothing, and its deadline stands still
  npm run ops -- sagas resume ID [--reason TEXT]                          it goes on where it was

  npm run ops -- dead-letters list [--state open|replayed|discarded|all]  messages that were given up on; the open ones
  npm run ops -- dead-letters show ID                                     one with its message and its last error
  npm run ops -- dead-letters replay ID --reason TEXT                     hands it to its service again
  npm run ops -- dead-letters discard ID --reason TEXT                    nothing is to be done any more

  npm run ops -- keys list [--tenant T]                                   API keys, of all services at once
  npm run ops -- keys add ID --principal P --roles R+R [--expires TIME]   makes a key, and shows it once
  npm run ops -- keys revoke ID                                           it is never good again

  npm run ops -- erase customer ID                                        erases who a customer of your tenant was
  npm run ops -- erase tenant NAME                                        the same for all customers of a tenant

Short: npm run saga -- list …, npm run dead-letters -- list …. What is done is kept, with who did it and why.
These say where to ask and as whom: API_KEY (the one of development),
${urlVariables}.`;

/** @throws OpsError */
export function readCommand(
  argv: readonly string[],
): SagaCommand | LetterCommand | KeysCommand | ErasureCommand | { subject: 'help' } {
  const [subject, verb, ...words] = argv;
  if (argv.some((word) => word === '--help' || word === '-h') || subject === 'help') return { subject: 'help' };
  if (subject === 'keys') return readKeysCommand(verb, words);
  if (!isSubject(subject)) {
    const there = 'there are sagas, dead-letters, keys and erase, and --help';
    throw new OpsError(subject === undefined ? `Say about what: ${there}.` : `There is no "${subject}"; ${there}.`);
  }
  const verbs = Object.keys(forms[subject]);
  const form = verb !== undefined && verbs.includes(verb) ? forms[subject][verb] : undefined;
  if (verb === undefined) throw new OpsError(`Say what to do: ${verbs.join(', ')}; --help tells more.`);
  if (!form) throw new OpsError(`There is no "${subject} ${verb}"; there are ${verbs.join(', ')}, and --help.`);
  const command = `${subject} ${verb}`;
  const isOfMany = verb === 'list' || verb === 'groups';
  const id = isOfMany ? '' : idIn(words, command);
  const option = optionIn(isOfMany ? words : words.slice(1), form, command);
  // The table above says which verbs belong to which subject.
  return { subject, verb, id, option } as SagaCommand | LetterCommand | ErasureCommand;
}

const isSubject = (word: string | undefined): word is Subject =>
  word !== undefined && Object.keys(forms).includes(word);

function idIn([id]: readonly string[], command: string): string {
  if (!id || id.startsWith('--')) throw new OpsError(`Say which: npm run ops -- ${command} ID.`);
  return id;
}

/** The value of the one option that may stand there. */
function optionIn(words: readonly string[], { option, values, because }: Form, command: string): string | undefined {
  const [word, value, ...more] = words;
  if (word !== undefined) {
    if (word !== `--${option}`) {
      throw new OpsError(`"${command}" knows ${option ? `no ${word} but --${option}` : `nothing behind its ID`}.`);
    }
    if (value === undefined) throw new OpsError(`--${option} needs a value behind it.`);
    if (more.length > 0) {
      throw new OpsError(`"${more.join(' ')}" is too much; put quotes around the value of --${option}.`);
    }
    if (values && !values.includes(value)) {
      throw new OpsError(`--${option} must be one of ${values.join(', ')}, and "${value}" is not.`);
    }
  }
  if (because && !value?.trim()) throw new OpsError(`${because}: npm run ops -- ${command} ID --${option} "…".`);
  return value;
}
