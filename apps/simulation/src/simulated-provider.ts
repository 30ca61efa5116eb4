/**
 * The payment provider behind a bad connection, with customers and banks who decide when they like. Its books are those of
 * the scripted provider: a request that is carried out late meets the intent as it is then.
 */
import { ScriptedProvider } from '@shop/payment/testing';
import { Outside } from './outside';
import type { Process, Stage } from './stage';

export type Provider = Pick<
  ScriptedProvider,
  | 'createIntent'
  | 'confirm'
  | 'retrieve'
  | 'cancel'
  | 'capture'
  | 'refund'
  | 'retrieveRefund'
  | 'findIntent'
  | 'findRefund'
  | 'dispute'
  | 'disputesOf'
>;
type RefundRequest = Parameters<Provider['refund']>[0];
type Kept = ReturnType<ScriptedProvider['intentsOf']>[number];

/** What a customer or a bank makes of an intent that waits for them. */
export interface Verdict {
  kept: Kept;
  outcome: 'approved' | 'processing' | 'declined';
}

export class SimulatedProvider {
  readonly books = new ScriptedProvider();
  /** References of charges whose refund was refused: their sagas wait for a person. */
  readonly refusedRefunds = new Set<string>();
  /** Some intent has waited for a customer or a bank. */
  hasWaited = false;

  private readonly outside: Outside;

  constructor(
    stage: Stage,
    private readonly onConfirm: (process: Process, chargeId: string) => void = () => undefined,
  ) {
    this.outside = new Outside(stage, 'provider');
  }

  /** The provider as one process reaches it. */
  reachedFrom(process: Process): Provider {
    const { books } = this;
    const call = <T>(what: string, work: () => Promise<T>, onRefused?: () => void) =>
      this.outside.call(process, { what, work: async () => work(), onRefused });
    return {
      createIntent: (request) => call(`intent of ${request.amount}`, () => books.createIntent(request)),
      confirm: (request) => {
        const { amount, idempotencyKey } = books.intents.get(request.reference)!;
        if (process.alive) this.onConfirm(process, idempotencyKey);
        return call(`charge of ${amount}`, () => this.watched(books.confirm(request)));
      },
      retrieve: (reference) => call('look at an intent', () => books.retrieve(reference)),
      cancel: (request) => call('cancelling of an intent', () => books.cancel(request)),
      capture: (request) => call(`capture of ${request.amount}`, () => books.capture(request)),
      retrieveRefund: (reference) => call('look at a refund', () => books.retrieveRefund(reference)),
      dispute: (reference) => call('look at a dispute', () => books.dispute(reference)),
      disputesOf: (reference) => call('look for disputes', () => books.disputesOf(reference)),
      refund: (request: RefundRequest) =>
        call(
          `refund of ${request.amount}`,
          () => books.refund(request),
          () => this.refusedRefunds.add(request.reference),
        ),
      // A run is shorter than the delay of the provider's index. So only names and keys protect here.
      findIntent: () => Promise.resolve(undefined),
      findRefund: () => Promise.resolve(undefined),
    };
  }

  /** Some customer has paid. */
  get isPaid(): boolean {
    return [...this.books.intents.values()].some(({ intent }) => intent.status === 'succeeded');
  }

  /** What may be decided now. Whoever walks away never decides. */
  get verdicts(): Verdict[] {
    return [...this.books.intents.values()].flatMap((kept): Verdict[] => {
      const { intent, source = '' } = kept;
      const fails = source.endsWith('_fails');
      if (intent.status === 'processing') return [{ kept, outcome: fails ? 'declined' : 'approved' }];
      if (intent.status !== 'requires_action' || source.endsWith('_walks_away')) return [];
      if (source.endsWith('_says_no')) return [{ kept, outcome: 'declined' }];
      return [{ kept, outcome: source.includes('_bank_') ? 'processing' : 'approved' }];
    });
  }

  decide({ kept: { paymentId }, outcome }: Verdict): void {
    this.books.decide(paymentId, outcome);
  }

  private async watched<T extends { status: string }>(answer: Promise<T>): Promise<T> {
    const intent = await answer;
    this.hasWaited ||= intent.status === 'requires_action' || intent.status === 'processing';
    return intent;
  }
}
