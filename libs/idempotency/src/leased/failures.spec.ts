import { createLogger } from '@shop/observability';
import { answerWith } from '../answer';
import { Idempotency } from '../idempotency';
import { MemoryLedger } from '../ledger/memory-ledger';
import { type Memory, MemoryStore } from '../ledger/memory-store';
import { type Failure, Failures, SAY_AGAIN_MS, STUCK_AFTER_MS } from './failures';

const MINUTE_MS = 60_000;

let now: number;
let lines: [event: string, line: Record<string, unknown>][];
let failures: Failures;

beforeEach(() => {
  now = 0;
  lines = [];
  const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
  const keep = (line: Record<string, unknown>, event: string) => void lines.push([event, line]);
  failures = new Failures(Object.assign(logger, { warn: keep, error: keep }), () => now);
});

const events = () => lines.map(([event]) => event.replace('idempotency.work.', ''));
const failure = (of: Partial<Failure> = {}): Failure => ({
  id: 'one',
  work: 'charge',
  attempt: 1,
  ageMs: 0,
  error: new Error('the line is dead'),
  ...of,
});

describe('R19 work that fails', () => {
  it('R19 is put off while it is young, however often it was tried', () => {
    failures.tell(failure());
    failures.tell(failure({ attempt: 5_000, ageMs: 2 * MINUTE_MS }));
    failures.tell(failure({ attempt: 9_000, ageMs: STUCK_AFTER_MS - 1 }));
    expect(events()).toEqual(['put_off', 'put_off', 'put_off']);
  });

  it('R19 is stuck when it is old, even at its second attempt, with all that a person needs to find it', () => {
    failures.tell(failure({ attempt: 2, ageMs: STUCK_AFTER_MS }));
    const line = { work: 'charge', workId: 'one', attempt: 2, ageMs: STUCK_AFTER_MS, reason: 'the line is dead' };
    expect(lines).toEqual([['idempotency.work.stuck', line]]);
  });

  it('R19 calls a person once, and again after an hour', () => {
    for (; now <= SAY_AGAIN_MS; now += 5 * MINUTE_MS) failures.tell(failure({ ageMs: STUCK_AFTER_MS + now }));
    expect(events()).toEqual(['stuck', ...Array<string>(11).fill('put_off'), 'stuck']);
  });

  it('R19 calls a person for each stuck work', () => {
    for (const id of ['one', 'two', 'one', 'two']) failures.tell(failure({ id, ageMs: STUCK_AFTER_MS }));
    expect(events()).toEqual(['stuck', 'stuck', 'put_off', 'put_off']);
  });

  it('R19 is remembered in a bounded number', () => {
    for (let work = 0; work <= 10_000; work++) failures.tell(failure({ id: `${work}`, ageMs: STUCK_AFTER_MS }));
    failures.tell(failure({ id: '1', ageMs: STUCK_AFTER_MS }));
    failures.tell(failure({ id: '0', ageMs: STUCK_AFTER_MS }));
    expect(events().slice(-2)).toEqual(['put_off', 'stuck']);
  });
});

it('R19 work that its client repeats without a pause is stuck by its age and not by its attempts', async () => {
  const claim = { scope: 'acme|olga|POST /things', key: 'one', fingerprint: Buffer.alloc(32) };
  const ledger = new MemoryLedger(() => now);
  const onFailure = (one: Failure) => failures.tell(one);
  const perform = new Idempotency<Memory>(new MemoryStore(), ledger, { onFailure }).leased<null>(
    'thing',
    async (work) => {
      if (now < STUCK_AFTER_MS + MINUTE_MS) throw new Error('the line is dead');
      return work.finish(() => answerWith(201, 'done'));
    },
  );
  for (; now <= STUCK_AFTER_MS; now += MINUTE_MS / 4) {
    await expect(perform(claim, null)).rejects.toMatchObject({ code: 'outcome_unknown' });
  }
  expect(events()).toEqual([...Array<string>(60).fill('put_off'), 'stuck']);
  expect(lines.at(-1)![1]).toMatchObject({ attempt: 61, ageMs: STUCK_AFTER_MS });
  now += MINUTE_MS;
  expect(await perform(claim, null)).toMatchObject({ kind: 'fresh', resumed: true });
});
