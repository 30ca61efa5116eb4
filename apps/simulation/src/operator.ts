/** An operator who holds a saga, or a step, and lets it go again: through the services behind the operators' routes. */
import { fingerprintOf, type Outcome } from '@shop/idempotency';
import type { OrderReplica } from '@shop/order/testing';
import { Calls } from './calls';
import type { Holding } from './script-holds';
import type { Process, Stage } from './stage';

/** One order service as an operator reaches it. */
export interface Desk {
  process: Process;
  order: Pick<OrderReplica, 'operator' | 'stepHolds'>;
}

export type Act = 'holds' | 'releases';

const REASON = 'the provider has announced repairs';

export class Operator {
  readonly calls: Calls;
  /** The saga that it holds, or has asked to hold. */
  sagaId?: string;
  private state: 'free' | 'asking' | 'holding' = 'free';
  private times = 0;

  constructor(
    private readonly stage: Stage,
    private readonly tenant: string,
    readonly holding: Holding,
    /** It asks to hold a step or to let it go, or was answered: meanwhile those look who look every second. */
    private readonly onStep: () => void,
  ) {
    this.calls = new Calls(stage, holding.name);
  }

  get name(): string {
    return this.holding.name;
  }

  get isFree(): boolean {
    return this.state === 'free';
  }

  /** It asks one thing at a time, and again until it is answered. */
  get wish(): Act | undefined {
    if (this.calls.count > 0) return undefined;
    if (this.state === 'holding') return 'releases';
    return this.state === 'asking' || this.times < this.holding.times ? 'holds' : undefined;
  }

  /** When the weather calms, nothing stays held; nor does what it may have held and was not told of. */
  get need(): Act | undefined {
    return this.calls.count === 0 && !this.isFree ? 'releases' : undefined;
  }

  /** @param sagaId for whoever holds sagas and is free */
  hold({ process, order }: Desk, sagaId?: string): void {
    const { step } = this.holding;
    if (this.isFree) {
      this.times++;
      this.sagaId = sagaId;
      this.state = 'asking';
    }
    const ask = () =>
      step
        ? order.stepHolds.place({ tenant: this.tenant, ...step }, { by: this.name, reason: REASON }).then(() => true)
        : this.act(order, 'hold');
    this.make(process, 'hold', ask, 'holding');
  }

  release({ process, order }: Desk): void {
    const { step } = this.holding;
    const ask = () =>
      step
        ? order.stepHolds.end({ tenant: this.tenant, ...step }, this.name).then(() => true)
        : this.act(order, 'resume');
    this.make(process, 'release', ask, 'free');
  }

  private make(
    process: Process,
    what: string,
    ask: () => Promise<boolean | undefined>,
    then: 'holding' | 'free',
  ): void {
    if (this.holding.step) this.onStep();
    void this.calls.make(process, what, ask).then((isDone) => {
      if (isDone !== undefined) this.state = isDone ? then : 'free';
      if (this.holding.step) this.onStep();
    });
  }

  /** The same request has the same key. Returns whether it is done, or undefined without an answer. */
  private async act({ operator }: Desk['order'], act: 'hold' | 'resume'): Promise<boolean | undefined> {
    const { tenant, name, times, sagaId } = this;
    const body = { act, reason: REASON };
    const scope = `${tenant}|${name}|POST /sagas/${sagaId}/acts`;
    const claim = { scope, key: `${act} ${times}`, fingerprint: fingerprintOf(body) };
    return this.read(await operator.act({ claim, tenant, sagaId: sagaId!, by: name, body }));
  }

  private read(outcome: Outcome): boolean | undefined {
    if (!('answer' in outcome)) return undefined;
    const { status, body } = outcome.answer;
    if (status >= 400) this.stage.note(`is told ${(JSON.parse(body) as { reason?: string }).reason}`);
    return status < 400;
  }
}
