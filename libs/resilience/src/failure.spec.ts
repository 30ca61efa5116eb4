import { RetryableError, TerminalError } from './errors';
import { type Failure, failureOf, judge } from './failure';
import { TimedOutError } from './timeout';

const FINAL = { isRetryable: false, isOutage: false };
const AGAIN = { isRetryable: true, isOutage: false };
const OUTAGE = { isRetryable: true, isOutage: true };

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

describe('R43 judge', () => {
  it('R43 retries of all statuses 5xx, 408 and 429, and 409 only where the route says that it is safe', () => {
    for (let status = 100; status <= 599; status++) {
      for (const isConflictSafe of [false, true]) {
        const again = status === 408 || status === 429 || (status === 409 && isConflictSafe);
        const expected = status >= 500 ? OUTAGE : again ? AGAIN : FINAL;
        // Whatever else is known of an answer, the status decides.
        const others: Failure[] = [{}, { code: 'ECONNRESET' }, { isTimeout: true }, { retryAfterMs: 1 }];
        for (const other of others)
          expect([status, judge({ ...other, status }, isConflictSafe)]).toEqual([status, expected]);
        expect(judge({ status, isTerminal: true }, isConflictSafe)).toEqual(FINAL);
      }
    }
  });

  it.each<[string, Failure, unknown]>([
    ['a reset', { code: 'ECONNRESET' }, OUTAGE],
    ['nobody who listens', { code: 'ECONNREFUSED' }, OUTAGE],
    ['a broken pipe', { code: 'EPIPE' }, OUTAGE],
    ['a connection that the other side closed', { code: 'UND_ERR_SOCKET' }, OUTAGE],
    ['a name server that is away', { code: 'EAI_AGAIN' }, OUTAGE],
    ['a timeout', { isTimeout: true }, OUTAGE],
    ['a timeout by its code', { code: 'ETIMEDOUT' }, OUTAGE],
    ['a code of the dependency', { code: 'card_declined' }, FINAL],
    ['a certificate that is not good', { code: 'CERT_HAS_EXPIRED' }, FINAL],
    ['an error that says when', { retryAfterMs: 0 }, AGAIN],
    ['an error that excludes it', { isTerminal: true, code: 'ECONNRESET', isTimeout: true, retryAfterMs: 1 }, FINAL],
    ['an error of which nothing is known', {}, FINAL],
  ])('R43 without an answer: %s', (_, failure, expected) => {
    expect(judge(failure)).toEqual(expected);
    expect(judge(failure, true)).toEqual(expected);
  });
});

describe('R43 failureOf', () => {
  it.each<[string, unknown, Failure]>([
    ['a status', Object.assign(new Error('x'), { status: 503 }), { status: 503 }],
    ['the status of an SDK', Object.assign(new Error('x'), { statusCode: 401 }), { status: 401 }],
    ['no status that is none', Object.assign(new Error('x'), { status: 'open', statusCode: 0 }), {}],
    ['a code', withCode('ECONNRESET'), { code: 'ECONNRESET' }],
    ['a code that is a timeout', withCode('ETIMEDOUT'), { code: 'ETIMEDOUT', isTimeout: true }],
    ['no code of the dependency', withCode('card_declined'), {}],
    ['a time limit of ours', new TimedOutError('a try', 5), { isTimeout: true }],
    ['a time limit of the platform', new DOMException('late', 'TimeoutError'), { isTimeout: true }],
    ['the cause of fetch', new TypeError('fetch failed', { cause: withCode('EPIPE') }), { code: 'EPIPE' }],
    ['a delay', new RetryableError('x', { retryAfterMs: 7 }), { retryAfterMs: 7 }],
    ['a refusal', new TerminalError('x'), { isTerminal: true }],
    ['what is no error', 'text', {}],
  ])('R43 reads %s', (_, error, expected) => {
    expect(failureOf(error)).toEqual(expected);
  });

  it('R43 reads what an SDK keeps beside the cause, and believes the outermost word', () => {
    const ofSdk = Object.assign(new Error('sdk'), { detail: new Error('closed', { cause: withCode('ECONNRESET') }) });
    expect(failureOf(new RetryableError('x', { cause: ofSdk }))).toEqual({ code: 'ECONNRESET' });
    expect(failureOf(new TerminalError('x', { cause: new RetryableError('y') }))).toEqual({ isTerminal: true });
    expect(failureOf(new RetryableError('x', { cause: new TerminalError('y') }))).toEqual({});
  });

  it('R43 ends in a circle of causes', () => {
    const one = new Error('one');
    one.cause = new Error('two', { cause: one });
    expect(failureOf(one)).toEqual({});
  });
});
