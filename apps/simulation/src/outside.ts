/** Somebody outside behind a bad connection: each request and each answer may be late or lost, at a gate of its own. */
import { RetryableError, TerminalError } from '@shop/resilience';
import type { Outsider, Process, Stage } from './stage';

const WAYS = [
  'answers',
  'answers late',
  'fails before',
  'does it and loses the answer',
  'is too slow and does it later',
  'refuses the request',
] as const;

const DEAD = 'the process is dead';
const nobodyHears = (): void => undefined;

export interface OutsideCall<T> {
  /** For the trace. */
  what: string;
  work: () => Promise<T>;
  onRefused?: () => void;
}

export class Outside {
  constructor(
    private readonly stage: Stage,
    private readonly name: Outsider,
  ) {}

  /** @throws RetryableError when the outcome is unknown TerminalError when it refuses */
  async call<T>(process: Process, { what, work, onRefused }: OutsideCall<T>): Promise<T> {
    const { stage, name } = this;
    if (!process.alive) throw new RetryableError(DEAD);
    const way = await stage.wait(process, name, { what, ways: WAYS });
    switch (way) {
      case 'answers':
        return this.hear(process, work());
      case 'answers late': {
        const answer = await work();
        await stage.wait(process, `answer of the ${name}`, { what, ways: ['arrives'] });
        return this.hear(process, Promise.resolve(answer));
      }
      case 'fails before':
        throw new RetryableError('the connection was refused');
      case 'does it and loses the answer':
        await work().catch(nobodyHears);
        throw new RetryableError('the connection was reset');
      case 'is too slow and does it later':
        void this.doLater(process, what, work);
        throw new RetryableError(`the ${name} did not answer in time`);
      case 'refuses the request':
        onRefused?.();
        throw new TerminalError(`the ${name} does not accept our credentials`);
    }
  }

  /** The request is on its way, and no process waits for it any more. */
  private async doLater(process: Process, what: string, work: () => Promise<unknown>): Promise<void> {
    await this.stage.wait(process, this.name, { what: `forgotten ${what}`, ways: ['does it'] });
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
