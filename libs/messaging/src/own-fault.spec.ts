import { LaneFullError } from '@shop/postgres';
import { RetryableError, TerminalError } from '@shop/resilience';
import { errorText, blameFor } from './own-fault';

const pgError = (code: string) => Object.assign(new Error('from PostgreSQL'), { code });

describe('R46 a failure is the message’s own', () => {
  it.each<[string, unknown]>([
    ['when nobody knows it', new Error('out of luck')],
    ['when it cannot succeed', new TerminalError('refused')],
    ['when PostgreSQL refuses a value', pgError('22P05')],
    ['when a constraint refuses a row', pgError('23514')],
    ['when it is no error at all', 'a text'],
    ['when it is nothing', undefined],
  ])('R46 %s', (_, error) => expect(blameFor(error)).toBe('message'));
});

describe('R46 a failure says nothing about the message', () => {
  it.each<[string, unknown]>([
    ['when somebody says “later”', new RetryableError('later')],
    ['when the lane is full', new LaneFullError()],
    ['when the database is away', pgError('ECONNREFUSED')],
    ['when the database is shut down', pgError('57P01')],
    ['when the connection is cut', new Error('Connection terminated unexpectedly')],
    ['when a row stays locked', pgError('55P03')],
    ['when transactions collide', pgError('40001')],
    ['when a statement takes too long', pgError('57014')],
    ['when the disk is full', pgError('53100')],
    ['when the server only reads', pgError('25006')],
    ['when a password is being changed', pgError('28P01')],
    ['when a plan does not fit any more', Object.assign(pgError('0A000'), { routine: 'RevalidateCachedQuery' })],
    ['when the session has forgotten a statement', pgError('26000')],
    ['when a host cannot be reached', pgError('EHOSTUNREACH')],
    ['when such a failure is its cause', new Error('could not save', { cause: pgError('57P01') })],
  ])('R46 %s', (_, error) => expect(blameFor(error)).toBe('surroundings'));

  it('R46 and an error that is its own cause does not hold anybody up', () => {
    const error = new Error('a snake');
    error.cause = error;
    expect(blameFor(error)).toBe('message');
  });
});

describe('R46 a failure may be anybody’s', () => {
  it.each(['42P01', 'XX000', '0A000'])('R46 when PostgreSQL says %s', (code) => {
    expect(blameFor(pgError(code))).toBe('unsure');
  });
});

describe('the text of an error', () => {
  it('has its name, code and message, and nothing of the row', () => {
    const error = Object.assign(pgError('23514'), { detail: 'Failing row contains (4111 1111 1111 1111).' });
    expect(errorText(error)).toBe('Error 23514: from PostgreSQL');
  });

  it('can be stored whatever it says', () => {
    const text = errorText(new Error(`a\0b\ud800${'x'.repeat(5_000)}`));
    expect(text.slice(0, 12)).toBe('Error: a\ufffdb\ufffdx');
    expect(text).toHaveLength(2_000);
  });
});
