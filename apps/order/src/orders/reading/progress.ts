/** How far an order is, in words for its customer and in per cent. Pure. The order decides; its saga adds the detail. */
import type { SagaView } from '@shop/saga';
import type { Order } from '../order';

export const progressStatuses = [
  'in_progress',
  'waiting_for_customer',
  'waiting_for_bank',
  'held_up',
  'confirmed',
  'cancelling',
  'cancelled',
] as const;
export type ProgressStatus = (typeof progressStatuses)[number];

export interface Progress {
  status: ProgressStatus;
  /** Of the way to the end that it is heading for, which is either confirmed or cancelled. */
  percent: number;
  text: string;
  /** Of the saga that moves it now: the step whose reply is awaited, and how often it was asked for. */
  step?: string;
  attempt?: number;
  /** Somebody has to act before then. */
  until?: string;
}

export type SeenSaga = Pick<SagaView, 'status' | 'step' | 'action' | 'attempt' | 'reason' | 'waiting'>;
type SeenOrder = Pick<Order, 'status' | 'reason' | 'nextAction' | 'deliveredAt' | 'cancellationRefused'>;

interface Stage {
  percent: number;
  text: string;
}

/** By step and command of the saga, on the way to confirmed. */
const FORWARD: Record<string, Stage> = {
  'reserve.do': { percent: 10, text: 'We are setting aside what you ordered.' },
  'charge.do': { percent: 40, text: 'Your payment is being made.' },
  'confirm.do': { percent: 80, text: 'Your payment is done, and the order is being confirmed.' },
};
/** The same on the way back, for the saga that turned round and for the one that cancels a confirmed order. */
const MONEY_BACK: Stage = { percent: 30, text: 'What you paid is being given back.' };
const PIECES_BACK: Stage = { percent: 70, text: 'What was set aside for you is being put back.' };
const BACKWARD: Record<string, Stage> = {
  'stop-delivery.do': { percent: 10, text: 'Its delivery is being stopped.' },
  'charge.undo': MONEY_BACK,
  'refund.do': MONEY_BACK,
  'reserve.undo': PIECES_BACK,
  'restock.do': PIECES_BACK,
};
/** Somewhere in between: a step of another version, or of a saga that has just gone on. */
const ON_ITS_WAY: Stage = { percent: 50, text: 'We are working on your order.' };
const GOING_BACK: Stage = { percent: 50, text: 'We are taking back what was done for it.' };

const REASONS = new Map([
  ['out_of_stock', 'something in it is sold out'],
  ['limit_reached', 'one customer may not have so many pieces of something in it'],
  ['reservation_expired', 'the time of its reservation was over'],
  ['reservation_used', 'its reservation belongs to another order'],
  ['reservation_mismatch', 'its reservation was for something else'],
  ['payment_declined', 'the payment was declined'],
  ['payment_expired', 'the payment was not confirmed in time'],
  ['timed_out', 'it took too long'],
  ['cancelled_by_client', 'it was asked for'],
  ['cancelled_by_operator', 'the shop has decided so'],
]);

const SLOW = ' It takes longer than usual.';
/** A wish that came when the saga could no longer turn round. */
const TO_BE_CANCELLED = 'Your order will be cancelled, as soon as it is known what became of its last step.';
const TOO_LATE = 'It could not be cancelled any more, because it was already on its way to you.';
const HELD_UP = 'Something needs the attention of the shop. You need not do anything.';

/** @param saga the one that moves the order now; it may be a little older than the order */
export function progressOf(order: SeenOrder, saga: SeenSaga | undefined): Progress {
  switch (order.status) {
    case 'confirmed':
      return { status: 'confirmed', percent: 100, text: textOfConfirmed(order) };
    case 'cancelled':
      return { status: 'cancelled', percent: 100, text: `${becauseOf('was', order)} None of your money was kept.` };
    case 'cancelling':
      return whileCancelling(order, saga);
    case 'pending':
      return whilePending(order, saga);
  }
}

function textOfConfirmed({ deliveredAt, cancellationRefused }: SeenOrder): string {
  const text = deliveredAt === undefined ? 'Your order is confirmed.' : 'Your order was delivered.';
  return cancellationRefused === undefined ? text : `${text} ${TOO_LATE}`;
}

function whilePending({ nextAction }: SeenOrder, saga: SeenSaga | undefined): Progress {
  const stage = stageOf(FORWARD, saga) ?? ON_ITS_WAY;
  const at = positionOf(saga);
  if (saga?.status === 'parked') return { status: 'held_up', percent: stage.percent, text: HELD_UP, ...at };
  if (nextAction) {
    const text = 'Please confirm the payment at your bank.';
    return { status: 'waiting_for_customer', percent: stage.percent, text, ...at, until: nextAction.expiresAt };
  }
  if (saga?.waiting?.for === 'provider') {
    const text = 'Your bank has not decided about the payment yet. You need not do anything.';
    return { status: 'waiting_for_bank', percent: stage.percent, text, ...at, until: saga.waiting.until };
  }
  // A saga that goes forward has a reason only when somebody wants it to be taken back.
  if (saga?.status === 'running' && saga.reason !== undefined) {
    return { status: 'cancelling', percent: stage.percent, text: TO_BE_CANCELLED, ...at };
  }
  return { status: 'in_progress', percent: stage.percent, text: stage.text + slownessOf(saga), ...at };
}

function whileCancelling(order: SeenOrder, saga: SeenSaga | undefined): Progress {
  const { percent, text } = stageOf(BACKWARD, saga) ?? GOING_BACK;
  const [why, at] = [becauseOf('is being', order), positionOf(saga)];
  if (saga?.status === 'parked') return { status: 'held_up', percent, text: `${why} ${HELD_UP}`, ...at };
  return { status: 'cancelling', percent, text: `${why} ${text}${slownessOf(saga)}`, ...at };
}

function becauseOf(verb: 'was' | 'is being', { reason }: SeenOrder): string {
  const why = REASONS.get(reason ?? '');
  return `Your order ${verb} cancelled${why ? `: ${why}` : ''}.`;
}

function stageOf(stages: Record<string, Stage>, saga: SeenSaga | undefined): Stage | undefined {
  const name = saga && `${saga.step}.${saga.action}`;
  return name !== undefined && Object.hasOwn(stages, name) ? stages[name] : undefined;
}

const slownessOf = (saga: SeenSaga | undefined): string => ((saga?.attempt ?? 0) > 1 ? SLOW : '');

/** Nothing is awaited of a saga that has ended: the order has just gone on without it. */
function positionOf(saga: SeenSaga | undefined): Pick<Progress, 'step' | 'attempt'> {
  if (!saga || saga.status === 'completed' || saga.status === 'compensated') return {};
  return { step: saga.step, attempt: saga.attempt };
}
