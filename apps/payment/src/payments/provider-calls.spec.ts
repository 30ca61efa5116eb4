/** What the answers of the provider mean for the money, and how its texts, which may be anything, are handled. */
import { createLogger } from '@shop/observability';
import { RetryableError, TerminalError } from '@shop/resilience';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import type { Intent } from './intent';
import type { Confirmation, IntentRequest, Provider, RefundRequest } from './provider';
import { type AskingForIntent, ProviderCalls, providerDependency } from './provider-calls';

const HOUR_MS = 3_600_000;
const DAY_LATER = { ageMs: 25 * HOUR_MS };
const FADING = { ageMs: 23 * HOUR_MS };

const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
const sealer = new Sealer(DEVELOPMENT_DATA_KEYS);
const reference = 'pi_1';
const unconfirmed: Intent = { status: 'unconfirmed', reference };
const succeeded: Intent = { status: 'succeeded', reference };
const cancelled: Intent = { status: 'cancelled', reference };

const order: IntentRequest = {
  idempotencyKey: 'cmd-1',
  tenant: 'demo',
  paymentId: 'pmt_1',
  amount: 1,
  currency: 'EUR',
  capture: 'automatic',
};
const back: RefundRequest = { idempotencyKey: 'cmd-2', reference, amount: 1, currency: 'EUR' };
const confirmation: Confirmation = { reference, idempotencyKey: 'cmd-1/confirm/1', source: 'tok_ok' };
const givingUp = { reference, idempotencyKey: 'cmd-1/cancel' };

const asking: AskingForIntent & { place: string } = {
  ids: { paymentId: 'pmt_1' },
  place: 'here',
  askedBefore: false,
  ageMs: 0,
  mayBeCharged: false,
  tenant: 'demo',
  patienceMs: 1_000,
};

const refuses = () => Promise.reject(new TerminalError('no'));
const fails = () => Promise.reject(new RetryableError('the connection was reset'));

/** The calls to a provider that fails whatever the test does not expect to be asked. `asked` lists what was asked. */
function callsTo(answers: Partial<Provider>, { log = logger, keys = DEVELOPMENT_DATA_KEYS, maxTries = 1 } = {}) {
  const asked: string[] = [];
  const provider = new Proxy({} as Provider, {
    get: (_, name: keyof Provider) => (request: never) => {
      asked.push(name);
      const answer = answers[name] as ((request: never) => Promise<unknown>) | undefined;
      return answer ? answer(request) : Promise.reject(new Error(`${name} was not expected`));
    },
  });
  return { calls: new ProviderCalls(provider, log, new Sealer(keys), providerDependency({ maxTries })), asked };
}

const shows =
  <T>(shown: T) =>
  () =>
    Promise.resolve(shown);

describe('ProviderCalls and a text of the provider', () => {
  const longest = 'r'.repeat(200);
  const named = (name: string) => {
    const intent = shows<Intent>({ status: 'succeeded', reference: name });
    const refund = shows({ reference: name, status: 'succeeded' as const });
    return callsTo({
      createIntent: intent,
      confirm: intent,
      retrieve: intent,
      cancel: intent,
      findIntent: intent,
      refund,
      findRefund: name === longest ? shows(undefined) : refund,
    }).calls;
  };
  const all = (calls: ProviderCalls): [string, Promise<unknown>][] => [
    ['create', calls.createIntent(order, asking)],
    ['confirm', calls.confirm(confirmation, asking)],
    ['retrieve', calls.retrieve(reference, asking)],
    ['cancel', calls.cancel(givingUp, asking)],
    ['find', calls.createIntent(order, { ...asking, askedBefore: true, mayBeCharged: true })],
    ['refund', calls.refund(back, asking)],
    ['find the refund', calls.refund(back, { ...asking, askedBefore: true })],
  ];

  it('passes on a reference as it is', async () => {
    for (const [name, work] of all(named(longest))) {
      expect([name, await work]).toMatchObject([name, { reference: longest }]);
    }
  });

  it.each(['', `${longest}r`])('takes no answer for known whose reference is %p', async (name) => {
    for (const [, work] of all(named(name))) await expect(work).rejects.toThrow(RetryableError);
  });

  it('cuts the reason of a decline, and no character of it in two', async () => {
    const declined = shows<Intent>({ status: 'declined', reference, reason: '💳'.repeat(201) });
    const { calls } = callsTo({ confirm: declined, retrieve: declined });
    const cut = { status: 'declined', reference, reason: '💳'.repeat(200) };
    expect([await calls.confirm(confirmation, asking), await calls.retrieve(reference, asking)]).toEqual([cut, cut]);
  });
});

describe('R4 ProviderCalls.createIntent', () => {
  it('names a new charge without looking for it', async () => {
    const { calls, asked } = callsTo({ createIntent: shows(unconfirmed) });
    expect([await calls.createIntent(order, asking), asked]).toEqual([unconfirmed, ['createIntent']]);
  });

  it('asks again under the key when no money can have moved, without looking for it', async () => {
    const { calls, asked } = callsTo({ createIntent: shows(unconfirmed) });
    expect(await calls.createIntent(order, { ...asking, askedBefore: true })).toEqual(unconfirmed);
    expect(asked).toEqual(['createIntent']);
  });

  it.each([FADING, DAY_LATER])('never names a charge that is too old: %j', async (age) => {
    const { calls, asked } = callsTo({});
    expect(await calls.createIntent(order, { ...asking, askedBefore: true, ...age })).toEqual({
      status: 'declined',
      reason: 'never_charged',
      reference: '',
    });
    expect(asked).toEqual([]);
  });

  it('fails like a declined payment when the provider does not accept it: it moved no money', async () => {
    const { calls } = callsTo({ createIntent: refuses });
    for (const askedBefore of [false, true]) {
      expect(await calls.createIntent(order, { ...asking, askedBefore })).toEqual({
        status: 'declined',
        reason: 'refused_by_provider',
        reference: '',
      });
    }
  });

  it('is unknown when the call fails', async () => {
    const { calls } = callsTo({ createIntent: fails });
    await expect(calls.createIntent(order, asking)).rejects.toThrow(RetryableError);
  });

  describe('for a charge that an earlier release may have made', () => {
    const old = { ...asking, askedBefore: true, mayBeCharged: true };
    const [remembered, fading, forgotten] = [old, { ...old, ...FADING }, { ...old, ...DAY_LATER }];

    it.each([remembered, fading, forgotten])('takes what is found: $ageMs ms old', async (age) => {
      const { calls, asked } = callsTo({ findIntent: shows(succeeded) });
      expect([await calls.createIntent(order, age), asked]).toEqual([succeeded, ['findIntent']]);
    });

    it.each<[string, Partial<Provider>]>([
      ['finds nothing', { findIntent: shows(undefined) }],
      ['fails', { findIntent: fails }],
    ])('asks under the key while the provider remembers it, when the look-up %s', async (_, look) => {
      const { calls, asked } = callsTo({ ...look, createIntent: shows(unconfirmed) });
      expect(await calls.createIntent(order, remembered)).toEqual(unconfirmed);
      expect(asked).toEqual(['findIntent', 'createIntent']);
    });

    it('does not know the outcome while the key may be forgotten and the charge may not be shown', async () => {
      const { calls, asked } = callsTo({ findIntent: shows(undefined) });
      await expect(calls.createIntent(order, fading)).rejects.toThrow(RetryableError);
      expect(asked).toEqual(['findIntent']);
    });

    it('was never made when all is shown, and it is not', async () => {
      const { calls, asked } = callsTo({ findIntent: shows(undefined) });
      expect(await calls.createIntent(order, forgotten)).toMatchObject({ status: 'declined', reason: 'never_charged' });
      expect(asked).toEqual(['findIntent']);
    });

    it.each([fading, forgotten])('does not know the outcome when the look-up fails: $ageMs ms old', async (age) => {
      const { calls, asked } = callsTo({ findIntent: fails });
      await expect(calls.createIntent(order, age)).rejects.toThrow(RetryableError);
      expect(asked).toEqual(['findIntent']);
    });

    it('does not take a refusal for a word on the money', async () => {
      const { calls } = callsTo({ findIntent: shows(undefined), createIntent: refuses });
      await expect(calls.createIntent(order, remembered)).rejects.toThrow(RetryableError);
    });
  });
});

describe('R4 ProviderCalls.confirm', () => {
  const refused = { status: 'declined', reason: 'refused_by_provider', reference: '' };

  it('gives the intent up when the provider does not accept the request', async () => {
    const keys: string[] = [];
    const cancel: Provider['cancel'] = ({ idempotencyKey }) => (keys.push(idempotencyKey), Promise.resolve(cancelled));
    const { calls, asked } = callsTo({ confirm: refuses, cancel });
    expect([await calls.confirm(confirmation, asking), asked]).toEqual([refused, ['confirm', 'cancel']]);
    expect(keys).toEqual(['cmd-1/confirm/1/refused']);
  });

  it('R38 believes the intent and not the refusal when the money was taken before', async () => {
    const { calls } = callsTo({ confirm: refuses, cancel: shows(succeeded) });
    expect(await calls.confirm(confirmation, asking)).toEqual(succeeded);
  });

  it.each([fails, refuses])('is unknown when the intent is not given up either', async (cancel) => {
    const { calls } = callsTo({ confirm: refuses, cancel });
    const error = await calls.confirm(confirmation, asking).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RetryableError);
  });

  it('is unknown when the call fails, and nothing is given up', async () => {
    const { calls, asked } = callsTo({ confirm: fails });
    await expect(calls.confirm(confirmation, asking)).rejects.toThrow(RetryableError);
    expect(asked).toEqual(['confirm']);
  });
});

describe.each(['retrieve', 'cancel'] as const)('R4 ProviderCalls.%s', (name) => {
  const ask = (calls: ProviderCalls) =>
    name === 'retrieve' ? calls.retrieve(reference, asking) : calls.cancel(givingUp, asking);

  it('tells the intent as it is', async () => {
    const { calls } = callsTo({ [name]: shows(succeeded) });
    expect(await ask(calls)).toEqual(succeeded);
  });

  it.each([fails, refuses])('does not take an error for a word on the money', async (answer) => {
    const { calls } = callsTo({ [name]: answer });
    await expect(ask(calls)).rejects.toThrow(RetryableError);
  });
});

describe('R4 ProviderCalls.refund', () => {
  it('is refused by the provider the first time, and unknown when it was asked before', async () => {
    const { calls } = callsTo({ refund: refuses, findRefund: shows(undefined) });
    expect(await calls.refund(back, asking)).toEqual({ outcome: 'refused' });
    await expect(calls.refund(back, { ...asking, askedBefore: true })).rejects.toThrow(RetryableError);
  });
});

describe('R26 ProviderCalls and a sealed source', () => {
  const errors: object[] = [];
  const log = { ...logger, error: (fields: object) => errors.push(fields) } as unknown as typeof logger;
  const requests: unknown[] = [];
  const keep =
    <T>(answer: T) =>
    (request: unknown) => {
      requests.push(request);
      return Promise.resolve(answer);
    };
  const sourcesIn = () => JSON.stringify(requests.splice(0)).match(/tok_\w+|sealed\.\w+/g) ?? [];
  const callsWith = (keys: string) => callsTo({ confirm: keep(succeeded) }, { log, keys }).calls;
  const sealed = (source = 'tok_sealed') => ({ ...confirmation, source: sealer.seal(source, 'here') });

  it('R26 opens it for the confirmation; one that an earlier release has sent is in clear', async () => {
    for (const request of [sealed(), { ...confirmation, source: 'tok_clear' }]) {
      await callsWith(DEVELOPMENT_DATA_KEYS).confirm(request, asking);
    }
    expect(sourcesIn()).toEqual(['tok_sealed', 'tok_clear']);
  });

  it('R26 sends it with no other call, not even when it gives the intent up', async () => {
    const intent = keep(cancelled);
    const answers = { createIntent: intent, findIntent: intent, retrieve: intent, cancel: intent, confirm: refuses };
    const { calls } = callsTo(answers);
    await calls.createIntent(order, { ...asking, askedBefore: true, mayBeCharged: true });
    await calls.createIntent(order, asking);
    await calls.retrieve(reference, asking);
    await calls.confirm(sealed(), asking);
    expect([requests.length, sourcesIn()]).toEqual([4, []]);
  });

  it('R26 does not decline the charge when the key is lost, and tells an operator; with the key it is made', async () => {
    const other = `other:${Buffer.alloc(32, 7).toString('base64')}`;
    await expect(callsWith(other).confirm(sealed(), asking)).rejects.toThrow(RetryableError);
    expect(errors.splice(0)).toEqual([
      { paymentId: 'pmt_1', reason: 'the sealed text cannot be opened: DATA_KEYS has no key "dev"' },
    ]);
    expect(sourcesIn()).toEqual([]);
    expect(await callsWith(`${other},${DEVELOPMENT_DATA_KEYS}`).confirm(sealed(), asking)).toEqual(succeeded);
    expect(sourcesIn()).toEqual(['tok_sealed']);
  });

  it('R26 does not charge with the token of another order', async () => {
    const elsewhere = { ...asking, place: 'elsewhere' };
    await expect(callsWith(DEVELOPMENT_DATA_KEYS).confirm(sealed(), elsewhere)).rejects.toThrow(RetryableError);
    expect(sourcesIn()).toEqual([]);
  });
});

describe('R43 a call that fails for a moment', () => {
  const once = <T>(failure: Error, then: T) => {
    const answers = [() => Promise.reject(failure), () => Promise.resolve(then)];
    return () => answers.shift()!();
  };
  /** As from a server that is alive, and asks to come again at once. */
  const busy = (status = 429) => new RetryableError(`answered ${status}`, { cause: { status }, retryAfterMs: 0 });

  it.each<[keyof Provider, Partial<Provider>, (calls: ProviderCalls) => Promise<unknown>]>([
    ['createIntent', { createIntent: once(busy(), unconfirmed) }, (calls) => calls.createIntent(order, asking)],
    ['confirm', { confirm: once(busy(503), succeeded) }, (calls) => calls.confirm(confirmation, asking)],
    ['retrieve', { retrieve: once(busy(), succeeded) }, (calls) => calls.retrieve(reference, asking)],
    ['cancel', { cancel: once(busy(409), cancelled) }, (calls) => calls.cancel(givingUp, asking)],
    [
      'refund',
      { refund: once(busy(), { reference, status: 'succeeded' as const }) },
      (calls) => calls.refund(back, asking),
    ],
  ])('is made again at once: %s', async (name, answers, call) => {
    const { calls, asked } = callsTo(answers, { maxTries: 3 });
    await expect(call(calls)).resolves.toBeDefined();
    expect(asked).toEqual([name, name]);
  });

  it('has a key of its own for each try of a confirmation: a provider may repeat a failure under its key', async () => {
    const keys: string[] = [];
    const confirm = ({ idempotencyKey }: Confirmation) => {
      keys.push(idempotencyKey);
      return keys.length === 1 ? Promise.reject(busy(500)) : Promise.resolve(succeeded);
    };
    await callsTo({ confirm }, { maxTries: 3 }).calls.confirm(confirmation, asking);
    expect(keys).toEqual(['cmd-1/confirm/1.1', 'cmd-1/confirm/1.2']);
  });

  it('R4 tells nothing by a refusal of its second try: the first one may have moved the money', async () => {
    const answers = [() => Promise.reject(busy(503)), refuses];
    const { calls, asked } = callsTo({ refund: () => answers.shift()!() }, { maxTries: 3 });
    await expect(calls.refund(back, asking)).rejects.toThrow(RetryableError);
    expect(asked).toEqual(['refund', 'refund']);
  });

  it('R43 R44 is hardly made again while the provider is down, and soon not made at all', async () => {
    const { calls, asked } = callsTo({ createIntent: () => Promise.reject(busy(503)) }, { maxTries: 3 });
    const CALLS = 300;
    for (let call = 0; call < CALLS; call++) await calls.createIntent(order, asking).catch(() => undefined);
    // Ten in a row are enough to open the circuit. Each of them may be made three times.
    expect(asked.length).toBeLessThanOrEqual(30);
  });
});
