import { readCommand, usage, UsageError } from './saga-command';

const ID = '01a20621-a6cd-74b9-a1c3-459d717a98c4';

describe('R6 the command line of npm run saga', () => {
  it.each([
    [['list'], { name: 'list', status: undefined }],
    [['list', '--status', 'parked'], { name: 'list', status: 'parked' }],
    [['show', ID], { name: 'show', id: ID }],
    [['retry', ID], { name: 'retry', id: ID, reason: undefined }],
    [['retry', ID, '--reason', 'it is back'], { name: 'retry', id: ID, reason: 'it is back' }],
    [['skip', ID, '--reason', 'paid by hand'], { name: 'skip', id: ID, reason: 'paid by hand' }],
    [['cancel', ID, '--reason', '--'], { name: 'cancel', id: ID, reason: '--' }],
    [['--help'], { name: 'help' }],
    [['skip', ID, '-h'], { name: 'help' }],
  ])('R6 reads %j', (argv, command) => {
    expect(readCommand(argv)).toEqual(command);
  });

  it.each([
    [[], 'Say what to do: list, show, retry, skip, cancel; --help tells more.'],
    [['discard', ID], 'There is no "saga discard"; there are list, show, retry, skip, cancel, and --help.'],
    [['show'], 'Say which saga: npm run saga -- show ID.'],
    [['skip', '--reason', 'x'], 'Say which saga: npm run saga -- skip ID.'],
    [['skip', ID], 'Say why the step counts as done: npm run saga -- skip ID --reason "…".'],
    [['skip', ID, '--reason', ' '], 'Say why the step counts as done'],
    [['retry', ID, '--why', 'x'], '"saga retry" knows no --why but --reason.'],
    [['retry', ID, '--reason'], '--reason needs a value behind it.'],
    [['retry', ID, '--reason', 'it', 'is', 'back'], '"is back" is too much; put quotes around the value of --reason.'],
    [['show', ID, 'now'], '"saga show" knows nothing behind its ID.'],
    [['list', '--status', 'lost'], '--status must be one of parked, running, compensating, and "lost" is not.'],
    [['list', '--limit', '3'], '"saga list" knows no --limit but --status.'],
  ])('R6 refuses %j in one sentence', (argv, sentence) => {
    expect(() => readCommand(argv)).toThrow(UsageError);
    expect(() => readCommand(argv)).toThrow(sentence);
  });

  it('R6 explains every command that it reads', () => {
    for (const name of ['list', 'show', 'retry', 'skip', 'cancel']) expect(usage).toContain(`npm run saga -- ${name}`);
  });
});
