import { OpsError } from '../ops/ask';
import { readCommand, usage } from './command-line';

describe('the command line of npm run backfill', () => {
  it.each([
    [['list'], { verb: 'list' }],
    [['status'], { verb: 'status', name: undefined }],
    [['status', 'old'], { verb: 'status', name: 'old' }],
    [['pause', 'old'], { verb: 'pause', name: 'old' }],
    [['run', 'old'], { verb: 'run', name: 'old', rate: undefined, again: false, detach: false }],
    [['run', '--rate', '50', 'old', '--again'], { verb: 'run', name: 'old', rate: 50, again: true, detach: false }],
    [['resume', 'old', '--detach'], { verb: 'resume', name: 'old', rate: undefined, again: false, detach: true }],
    [['run', '--help'], { verb: 'help' }],
  ])('R42 reads %j', (argv, command) => {
    expect(readCommand(argv)).toEqual(command);
  });

  it.each([
    [[], 'Say what to do: list, run, status, pause, resume; --help tells more.'],
    [['start'], 'There is no "start"; there are list, run, status, pause, resume, and --help.'],
    [['run'], 'Say which: npm run backfill -- run NAME.'],
    [['pause'], 'Say which: npm run backfill -- pause NAME.'],
    [['list', 'old'], '"list" knows no NAME.'],
    [['run', 'old', 'new'], '"new" is too much behind the NAME.'],
    [['run', 'old', '--rate', 'fast'], '--rate must be a number of rows a second from 1 to 100000.'],
    [['run', 'old', '--rate', '0'], '--rate must be a number of rows a second from 1 to 100000.'],
    [['pause', 'old', '--rate', '5'], '"pause": Unknown option'],
    [['resume', 'old', '--again'], '"resume": Unknown option'],
  ])('R42 refuses %j in one sentence', (argv, sentence) => {
    expect(() => readCommand(argv)).toThrow(OpsError);
    expect(() => readCommand(argv)).toThrow(sentence);
  });

  it('R42 explains every command that it reads', () => {
    for (const verb of ['list', 'run', 'status', 'pause', 'resume']) expect(usage).toContain(`backfill -- ${verb}`);
  });
});
