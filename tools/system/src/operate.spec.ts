import type { ApiClient, ApiResponse } from './api-client';
import { operate, OperateError } from './operate';
import type { SagaDetails } from './saga-report';

const ID = '01a20621-a6cd-74b9-a1c3-459d717a98c4';
const line = {
  id: ID,
  definition: 'place-order',
  version: 1,
  status: 'parked',
  step: 'charge',
  action: 'undo',
  attempt: 20,
  reason: 'timed_out',
  updatedAt: '2026-03-01T10:00:00.000Z',
  orderId: 'o-1',
};
const saga: SagaDetails = {
  ...line,
  deadlineAt: null,
  history: [
    { at: '2026-03-01T09:59:00.000Z', event: 'started', from: 'new', to: 'reserve.do', attempt: 1 },
    {
      at: '2026-03-01T10:00:00.000Z',
      event: 'operator.skip',
      from: 'parked',
      to: 'reserve.undo',
      attempt: 20,
      detail: { by: 'olga', reason: 'refunded by hand' },
    },
  ],
};

/** Answers everything the same, and keeps what it was asked. */
function apiThatAnswers(status: number, body: unknown) {
  const asked: unknown[][] = [];
  const answer = (...call: unknown[]) => {
    asked.push(call);
    return Promise.resolve({ status, headers: new Headers(), text: '', body } as ApiResponse<never>);
  };
  return { asked, get: answer, post: answer } as { asked: unknown[][] } & Pick<ApiClient, 'get' | 'post'>;
}

describe('R6 npm run saga', () => {
  it('R6 lists sagas as a table', async () => {
    const api = apiThatAnswers(200, { items: [line, { ...line, id: 'x', reason: undefined, attempt: 1 }], next: null });
    expect(await operate({ name: 'list', status: 'parked' }, api)).toEqual([
      'SAGA                                  DEFINITION      STATUS  AWAITS       ATTEMPT  REASON     SINCE                     ORDER',
      `${ID}  place-order v1  parked  charge.undo  20       timed_out  2026-03-01T10:00:00.000Z  o-1`,
      'x                                     place-order v1  parked  charge.undo  1                   2026-03-01T10:00:00.000Z  o-1',
    ]);
    expect(api.asked).toEqual([['/sagas?limit=200&status=parked']]);
  });

  it('R6 says when there are none, and when there are more', async () => {
    expect(await operate({ name: 'list', status: undefined }, apiThatAnswers(200, { items: [], next: null }))).toEqual([
      'No such sagas.',
    ]);
    const more = await operate({ name: 'list', status: undefined }, apiThatAnswers(200, { items: [line], next: ID }));
    expect(more.at(-1)).toBe('These are the newest 1; there are more.');
  });

  it('R6 shows where a saga stands, how it got there, and who took a hand in it', async () => {
    const api = apiThatAnswers(200, saga);
    expect(await operate({ name: 'show', id: ID }, api)).toEqual([
      `place-order v1 ${ID}`,
      'parked (timed_out), awaiting charge.undo, attempt 20',
      'since 2026-03-01T09:59:00.000Z',
      '     +0 ms  new → reserve.do             started',
      ' +60000 ms  parked → reserve.undo        operator.skip, attempt 20, by olga, reason refunded by hand',
    ]);
    expect(api.asked).toEqual([[`/sagas/${ID}`]]);
  });

  it('R6 acts under a key of its own each time, and shows what came of it', async () => {
    const moving = {
      ...saga,
      status: 'compensating',
      step: 'reserve',
      attempt: 1,
      deadlineAt: '2026-03-01T10:00:03.000Z',
    };
    const api = apiThatAnswers(201, moving);
    const skip = { name: 'skip', id: ID, reason: 'refunded by hand' } as const;
    expect((await operate(skip, api))[1]).toBe(
      'compensating (timed_out), awaiting reserve.undo, attempt 1, until 2026-03-01T10:00:03.000Z',
    );
    await operate(skip, api);
    const key = expect.stringMatching(/^[0-9a-f-]{36}$/);
    const call = [`/sagas/${ID}/acts`, { act: 'skip', reason: 'refunded by hand' }, key];
    expect(api.asked).toEqual([call, call]);
    expect(api.asked[0]![2]).not.toBe(api.asked[1]![2]);
  });

  it('R6 shows an ended saga as awaiting nothing', async () => {
    const ended = { ...saga, status: 'completed', reason: undefined };
    expect((await operate({ name: 'show', id: ID }, apiThatAnswers(200, ended)))[1]).toBe('completed');
  });

  it('R6 asks for an id as it is written, whatever it contains', async () => {
    const api = apiThatAnswers(200, saga);
    await operate({ name: 'show', id: '../orders?x' }, api);
    expect(api.asked).toEqual([['/sagas/..%2Forders%3Fx']]);
  });

  it('R6 tells in one sentence why something is not possible', async () => {
    const detail = 'only the step at which a saga is parked can be skipped';
    const api = apiThatAnswers(409, { code: 'act_not_possible', detail });
    const refused = operate({ name: 'skip', id: ID, reason: 'x' }, api);
    await expect(refused).rejects.toThrow(`The order service says no: ${detail} (act_not_possible).`);
    await expect(refused).rejects.toBeInstanceOf(OperateError);
    await expect(operate({ name: 'show', id: ID }, apiThatAnswers(502, {}))).rejects.toThrow('says no: status 502.');
  });

  it('R6 tells when nobody answers', async () => {
    const get = () => Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }));
    await expect(operate({ name: 'show', id: ID }, { get, post: get })).rejects.toThrow(
      'The order service did not answer (connect ECONNREFUSED); is ORDER_URL right, and what does show say?',
    );
  });
});
