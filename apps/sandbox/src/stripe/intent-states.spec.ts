/** Every state of an intent with every action. */
import fc from 'fast-check';
import { type Action, allowedIn, decide, type Step } from './intent-states';
import { intentStatuses, newPaymentIntent, type IntentStatus, type PaymentIntent } from './payment-intent';

const NOW_MS = 1_700_000_000_000;
const page = 'http://bank/3ds/pi_1';
const confirmWith = (source?: string, failsOnAction = false): Action => ({
  type: 'confirm',
  source,
  pageUrl: page,
  returnUrl: 'https://shop.example/back',
  failsOnAction,
});
const actions: Record<Action['type'], Action> = {
  confirm: confirmWith('tok_ok'),
  approve: { type: 'approve' },
  decline: { type: 'decline' },
  settle: { type: 'settle' },
  fail: { type: 'fail' },
  capture: { type: 'capture', final: true },
  cancel: { type: 'cancel', reason: 'requested_by_customer', nowMs: NOW_MS },
};

/** What each action makes of an intent of 100 in each state; nothing where it is not possible. */
const table: Record<IntentStatus, Partial<Record<Action['type'], IntentStatus>>> = {
  requires_payment_method: { confirm: 'succeeded', cancel: 'canceled' },
  requires_confirmation: { confirm: 'succeeded', cancel: 'canceled' },
  requires_action: {
    confirm: 'succeeded',
    approve: 'succeeded',
    decline: 'requires_payment_method',
    cancel: 'canceled',
  },
  processing: { settle: 'succeeded', fail: 'requires_payment_method' },
  requires_capture: { capture: 'succeeded', cancel: 'canceled' },
  succeeded: {},
  canceled: {},
};

const everyPair = intentStatuses.flatMap((status) =>
  Object.keys(actions).map((type) => [status, type as Action['type']] as const),
);

describe('an intent', () => {
  it.each(everyPair)('in %s, asked to %s', (status, type) => {
    const expected = table[status][type];
    const step = decide(intentIn(status), actions[type]);
    expect(typeof step === 'string' ? step : step.intent.status).toBe(expected ?? 'unexpected_state');
    expect(allowedIn[type].includes(status)).toBe(expected !== undefined);
  });

  it.each([
    ['tok_ok', 'succeeded', 'payment_intent.succeeded', true],
    ['tok_declined', 'requires_payment_method', 'payment_intent.payment_failed', true],
    ['tok_3ds', 'requires_action', 'payment_intent.requires_action', undefined],
    ['tok_3ds_processing', 'requires_action', 'payment_intent.requires_action', undefined],
    ['tok_processing', 'processing', 'payment_intent.processing', true],
  ])('confirmed with %s is %s', (source, status, event, attempted) => {
    expect(stepOf(intentIn('requires_payment_method'), confirmWith(source))).toMatchObject({
      intent: { status },
      event,
      ...(attempted && { attempted: source }),
    });
  });

  it('cannot be confirmed without a source', () => {
    expect(decide(intentIn('requires_payment_method'), confirmWith())).toBe('source_missing');
  });

  it('tells where the customer has to go, and no longer when that is over', () => {
    const waiting = stepOf(intentIn('requires_payment_method'), confirmWith('tok_3ds')).intent;
    expect(waiting.next_action).toEqual({
      type: 'redirect_to_url',
      redirect_to_url: { url: page, return_url: 'https://shop.example/back' },
    });
    for (const type of ['approve', 'decline', 'cancel'] as const) {
      expect(stepOf(waiting, actions[type]).intent.next_action).toBeNull();
    }
  });

  it('fails at once when nobody is there to say yes', () => {
    const step = stepOf(intentIn('requires_payment_method'), confirmWith('tok_3ds', true));
    expect(step).toMatchObject({
      failure: { code: 'authentication_required' },
      intent: { status: 'requires_payment_method' },
    });
  });

  it('takes another source after the customer has said no', () => {
    const waiting = stepOf(intentIn('requires_payment_method'), confirmWith('tok_3ds')).intent;
    const declined = stepOf(waiting, actions.decline).intent;
    expect(declined).toMatchObject({
      payment_method: null,
      last_payment_error: { code: 'payment_intent_authentication_failure' },
    });
    expect(stepOf(declined, confirmWith('tok_ok')).intent).toMatchObject({
      status: 'succeeded',
      last_payment_error: null,
    });
  });

  it('is processing after the customer has said yes, if the bank takes its time', () => {
    const waiting = stepOf(intentIn('requires_payment_method'), confirmWith('tok_3ds_processing')).intent;
    expect(stepOf(waiting, actions.approve).intent.status).toBe('processing');
  });

  it('holds the money when it is captured by hand', () => {
    const held = stepOf({ ...intentIn('requires_payment_method'), capture_method: 'manual' }, confirmWith('tok_ok'));
    expect(held).toMatchObject({
      intent: { status: 'requires_capture', amount_capturable: 100, amount_received: 0 },
      event: 'payment_intent.amount_capturable_updated',
    });
  });

  it('releases what was not captured', () => {
    const { intent } = stepOf(intentIn('requires_capture'), { type: 'capture', amount: 30, final: true });
    expect(intent).toMatchObject({ status: 'succeeded', amount_received: 30, amount_capturable: 0 });
  });

  it('is captured in parts only if that was asked for', () => {
    const part: Action = { type: 'capture', amount: 30, final: false };
    expect(decide(intentIn('requires_capture'), part)).toBe('captured_once_only');
    expect(stepOf(inParts(), part).intent).toMatchObject({
      status: 'requires_capture',
      amount_received: 30,
      amount_capturable: 70,
    });
  });

  it('keeps what a capture adds to its metadata', () => {
    const before = { ...inParts(), metadata: { tenant: 'acme' } };
    const part: Action = { type: 'capture', amount: 30, final: false, metadata: { cap_1: '30' } };
    expect(stepOf(before, part).intent.metadata).toEqual({ tenant: 'acme', cap_1: '30' });
  });

  it('keeps what was captured when the rest is cancelled, or released by a capture of nothing', () => {
    const part = stepOf(inParts(), { type: 'capture', amount: 30, final: false }).intent;
    const nothing: Action = { type: 'capture', amount: 0, final: true };
    for (const action of [actions.cancel, nothing]) {
      expect(stepOf(part, action).intent).toMatchObject({
        status: 'succeeded',
        amount_received: 30,
        amount_capturable: 0,
      });
    }
    expect(decide(inParts(), nothing)).toBe('nothing_to_capture');
  });

  it('never captures more than it holds, whatever is asked', () => {
    const captures = fc.array(fc.record({ amount: fc.integer({ min: 0, max: 120 }), final: fc.boolean() }));
    fc.assert(
      fc.property(captures, (asked) => {
        let intent = inParts();
        for (const capture of asked) {
          const step = decide(intent, { type: 'capture', ...capture });
          if (typeof step !== 'string') intent = step.intent;
          expect(intent.amount_received + intent.amount_capturable).toBeLessThanOrEqual(100);
        }
      }),
    );
  });
});

function intentIn(status: IntentStatus): PaymentIntent {
  const form = { amount: 100, currency: 'usd', metadata: {}, captureMethod: 'automatic' } as const;
  const source = status === 'requires_payment_method' ? undefined : 'tok_ok';
  const intent: PaymentIntent = { ...newPaymentIntent({ ...form, source }, { id: 'pi_1', nowMs: NOW_MS }), status };
  if (status === 'succeeded') return { ...intent, amount_received: 100 };
  return status === 'requires_capture' ? { ...intent, capture_method: 'manual', amount_capturable: 100 } : intent;
}

function inParts(): PaymentIntent {
  return {
    ...intentIn('requires_capture'),
    payment_method_options: { card: { request_multicapture: 'if_available' } },
  };
}

function stepOf(intent: PaymentIntent, action: Action): Step {
  const step = decide(intent, action);
  if (typeof step === 'string') throw new Error(step);
  return step;
}
