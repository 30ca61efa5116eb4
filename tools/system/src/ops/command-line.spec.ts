import { OpsError } from './ask';
import { readCommand, usage } from './command-line';

const ID = '01a20621-a6cd-74b9-a1c3-459d717a98c4';
const saga = { subject: 'sagas', id: ID };
const letter = { subject: 'dead-letters', id: ID };

describe('the command line of npm run ops', () => {
  it.each([
    [['sagas', 'list'], { subject: 'sagas', verb: 'list', id: '' }],
    [['sagas', 'list', '--status', 'parked'], { subject: 'sagas', verb: 'list', id: '', option: 'parked' }],
    [['sagas', 'list', '--status', 'all'], { subject: 'sagas', verb: 'list', id: '', option: 'all' }],
    [['sagas', 'groups'], { subject: 'sagas', verb: 'groups', id: '' }],
    [['sagas', 'find', 'pmt_1'], { subject: 'sagas', verb: 'find', id: 'pmt_1' }],
    [['sagas', 'show', ID], { ...saga, verb: 'show' }],
    [['sagas', 'retry', ID], { ...saga, verb: 'retry' }],
    [['sagas', 'retry', ID, '--reason', 'it is back'], { ...saga, verb: 'retry', option: 'it is back' }],
    [['sagas', 'skip', ID, '--reason', 'paid by hand'], { ...saga, verb: 'skip', option: 'paid by hand' }],
    [['sagas', 'cancel', ID, '--reason', '--'], { ...saga, verb: 'cancel', option: '--' }],
    [['sagas', 'hold', ID, '--reason', 'repairs'], { ...saga, verb: 'hold', option: 'repairs' }],
    [['sagas', 'resume', ID], { ...saga, verb: 'resume' }],
    [['dead-letters', 'list', '--state', 'all'], { subject: 'dead-letters', verb: 'list', id: '', option: 'all' }],
    [['dead-letters', 'show', ID], { ...letter, verb: 'show' }],
    [['dead-letters', 'replay', ID, '--reason', 'mended'], { ...letter, verb: 'replay', option: 'mended' }],
    [['dead-letters', 'discard', ID, '--reason', 'old'], { ...letter, verb: 'discard', option: 'old' }],
    [['erase', 'customer', 'alice'], { subject: 'erase', verb: 'customer', id: 'alice' }],
    [['erase', 'tenant', 'acme'], { subject: 'erase', verb: 'tenant', id: 'acme' }],
    [['--help'], { subject: 'help' }],
    [['help'], { subject: 'help' }],
    [['sagas', '--help'], { subject: 'help' }],
    [['sagas', 'skip', ID, '-h'], { subject: 'help' }],
  ])('R6 R46 reads %j', (argv, command) => {
    expect(readCommand(argv)).toEqual(command);
  });

  const sagas = 'list, groups, find, show, retry, skip, cancel, hold, resume';
  const letters = 'list, show, replay, discard';
  it.each([
    [[], 'Say about what: there are sagas, dead-letters, keys and erase, and --help.'],
    [['orders'], 'There is no "orders"; there are sagas, dead-letters, keys and erase, and --help.'],
    [['sagas'], `Say what to do: ${sagas}; --help tells more.`],
    [['sagas', 'discard', ID], `There is no "sagas discard"; there are ${sagas}, and --help.`],
    [['sagas', 'toString', ID], `There is no "sagas toString"; there are ${sagas}, and --help.`],
    [['dead-letters', 'skip', ID], `There is no "dead-letters skip"; there are ${letters}, and --help.`],
    [['erase', 'customer'], 'Say which: npm run ops -- erase customer ID.'],
    [['sagas', 'show'], 'Say which: npm run ops -- sagas show ID.'],
    [['sagas', 'skip', '--reason', 'x'], 'Say which: npm run ops -- sagas skip ID.'],
    [['sagas', 'skip', ID], 'Say why the step counts as done: npm run ops -- sagas skip ID --reason "…".'],
    [['sagas', 'hold', ID], 'Say why it is held: npm run ops -- sagas hold ID --reason "…".'],
    [['sagas', 'skip', ID, '--reason', ' '], 'Say why the step counts as done'],
    [
      ['dead-letters', 'replay', ID],
      'Say why it will be done now: npm run ops -- dead-letters replay ID --reason "…".',
    ],
    [['dead-letters', 'discard', ID, '--reason', ''], 'Say why nothing is to be done any more'],
    [['sagas', 'retry', ID, '--why', 'x'], '"sagas retry" knows no --why but --reason.'],
    [['sagas', 'retry', ID, '--reason'], '--reason needs a value behind it.'],
    [['sagas', 'retry', ID, '--reason', 'it', 'is', 'back'], '"is back" is too much; put quotes around'],
    [['sagas', 'show', ID, 'now'], '"sagas show" knows nothing behind its ID.'],
    [
      ['sagas', 'list', '--status', 'lost'],
      '--status must be one of parked, running, compensating, completed, compensated, all, and "lost" is not.',
    ],
    [['sagas', 'list', '--limit', '3'], '"sagas list" knows no --limit but --status.'],
    [['dead-letters', 'list', ID], `"dead-letters list" knows no ${ID} but --state.`],
  ])('R6 R46 refuses %j in one sentence', (argv, sentence) => {
    expect(() => readCommand(argv)).toThrow(OpsError);
    expect(() => readCommand(argv)).toThrow(sentence);
  });

  it('R6 R46 explains every command that it reads', () => {
    for (const verb of sagas.split(', ')) expect(usage).toContain(`npm run ops -- sagas ${verb}`);
    for (const verb of ['customer', 'tenant']) expect(usage).toContain(`npm run ops -- erase ${verb}`);
    for (const verb of letters.split(', ')) expect(usage).toContain(`npm run ops -- dead-letters ${verb}`);
  });
});
