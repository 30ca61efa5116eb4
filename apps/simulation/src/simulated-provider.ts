/** The payment provider behind a bad connection. Its books and idempotency keys are those of the scripted provider. */
import { ScriptedProvider } from '@shop/payment/testing';
import { RetryableError, TerminalError } from '@shop/resilience';
import { never, type Process, type Stage } from './stage';

type ChargeRequest = Parameters<ScriptedProvider['charge']>[0];
type RefundRequest = Parameters<ScriptedProvider['refund']>[0];
export type Provider = Pick<ScriptedProvider, 'charge' | 'refund' | 'findCharge' | 'findRefund'>;

const WAYS = [
  'answers',
  'answers late',
  'fails before',
  'does it and loses the answer',
  'is too slow and does it later',
  'refuses the request',
] as const;

export class SimulatedProvider {
  readonly books = new ScriptedProvider();
  /** References of charges whose refund was refused: their sagas wait for a person. */
  readonly refusedRefunds = new Set<string>();

  constructor(private readonly stage: Stage) {}

  /** The provider as one process reaches it. */
  reachedFrom(process: Process): Provider {
    return {
      charge: (request: ChargeRequest) =>
        this.call(process, `charge of ${request.amount}`, () => this.books.charge(request)),
      refund: (request: RefundRequest) =>
        this.call(
          process,
          `refund of ${request.amount}`,
          () => this.books.refund(request),
          () => this.refusedRefunds.add(request.reference),
        ),
      // A run is shorter than the delay of the provider's index. So only the keys protect here.
      findCharge: () => Promise.resolve(undefined),
      findRefund: () => Promise.resolve(undefined),
    };
  }

  private async call<T>(
    process: Process,
    what: string,
    work: () => Promise<T>,
    onRefused: () => void = () => undefined,
  ): Promise<T> {
    if (!process.alive) return never();
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

  /** A request is carried out even if its sender has died. */
  private hear<T>(process: Process, answer: Promise<T>): Promise<T> {
    if (process.alive) return answer;
    void answer.catch(nobodyHears);
    return never();
  }
}

const nobodyHears = (): void => undefined;
