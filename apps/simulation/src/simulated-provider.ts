/**
 * The payment provider behind a bad connection, with customers and banks who decide when they like. Its books are those of
 * the scripted provider: a request that is carried out late meets the intent as it is then.
 */
import { ScriptedProvider } from '@shop/payment/testing';
import { RetryableError, TerminalError } from '@shop/resilience';
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

const WAYS = [
  'answers',
  'answers late',
  'fails before',
  'does it and loses the answer',
  'is too slow and does it later',
  'refuses the request',
] as const;

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

  constructor(
    private readonly stage: Stage,
    private readonly onConfirm: (process: Process, chargeId: string) => void = () => undefined,
  ) {}

  /** The provider as one process reaches it. */
  reachedFrom(process: Process): Provider {
    const { books } = this;
    const call = <T>(what: string, work: () => Promise<T>, onRefused?: () => void) =>
      this.call(process, what, async () => work(), onRefused);
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

  private async call<T>(
    process: Process,
    what: string,
    work: () => Promise<T>,
    onRefused: () => void = () => undefined,
  ): Promise<T> {
    if (!process.alive) throw new RetryableError(DEAD);
    const way = await this.stage.wait(process, 'provider', { what, ways: WAYS });
    switch (way) {
      case 'answers':
        return this.hear(process, work());
      case 'answers late': {
        const answer = await work();
        await this.stage.wait(process, 'answer of the provider', { what, ways: ['arrives'] });
        return this.hear(process, Promise.resolve(answer));
      }
      case 'fails before':
        throw new RetryableError('the connection was refused');
      case 'does it and loses the answer':
        await work().catch(nobodyHears);
        throw new RetryableError('the connection was reset');
      case 'is too slow and does it later':
        void this.doLater(process, what, work);
        throw new RetryableError('the provider did not answer in time');
      case 'refuses the request':
        onRefused();
        throw new TerminalError('the provider does not accept our credentials');
    }
  }

  /** The request is on its way, and no process waits for it any more. */
  private async doLater(process: Process, what: string, work: () => Promise<unknown>): Promise<void> {
    await this.stage.wait(process, 'provider', { what: `forgotten ${what}`, ways: ['does it'] });
    await work().catch(nobodyHears);
  }

  /**
   * A request is carried out even if its sender has died. A dead sender gets an error, which ends the timers of the call;
   * what it would do next needs its database, and that never answers.
   */
  private async hear<T>(process: Process, answer: Promise<T>): Promise<T> {
    if (process.alive) return answer;
    await answer.catch(nobodyHears);
    throw new RetryableError(DEAD);
  }
}

const DEAD = 'the process is dead';
const nobodyHears = (): void => undefined;
