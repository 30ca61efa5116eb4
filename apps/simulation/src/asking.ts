/** One request of a client under one key: it asks until it gets an answer, and some more times. */
import type { Outcome } from '@shop/idempotency';
import type { Calls } from './calls';
import type { Process, Stage } from './stage';

const MOST_TIMES = 3;

export class Asking {
  /** As on the wire: status, headers that belong to the answer, and body. */
  readonly answers: string[] = [];
  private times = 0;
  private underWay = 0;

  constructor(
    private readonly stage: Stage,
    private readonly calls: Calls,
    private readonly method: string,
    /** Is told of what was made. */
    private readonly onMade: (body: { id: string }) => void = () => undefined,
  ) {}

  get isAnswered(): boolean {
    return this.answers.length > 0;
  }

  /** In bad times. */
  get mayAsk(): boolean {
    return this.times < MOST_TIMES;
  }

  get isUnderWay(): boolean {
    return this.underWay > 0;
  }

  /** The first answer that says that it is done. */
  get accepted(): string | undefined {
    return this.answers.find((answer) => answer.startsWith('2'));
  }

  ask(process: Process, work: () => Promise<Outcome>): void {
    this.times++;
    this.underWay++;
    void this.calls.make(process, this.method, work).then((outcome) => {
      this.underWay--;
      this.hear(outcome);
    });
  }

  private hear(outcome: Outcome | undefined): void {
    if (outcome?.kind === 'fresh' || outcome?.kind === 'replayed') {
      const { status, body } = outcome.answer;
      this.answers.push(`${status} ${body}`);
      if (status >= 400) this.stage.note(`is told ${(JSON.parse(body) as { code: string }).code}`);
      if (status === 201) this.onMade(JSON.parse(body) as { id: string });
    } else if (outcome?.kind === 'reused' || outcome?.kind === 'erased') {
      this.answers.push(outcome.kind);
    }
  }
}
