/** A client that wants one order: it asks until it gets an answer, asks once more, and may cancel. */
import { randomUUID } from 'node:crypto';
import { type Claim, fingerprintOf, type Outcome } from '@shop/idempotency';
import { claimOfPut, type OrderReplica } from '@shop/order/testing';
import { newTraceparent } from '@shop/observability';
import type { Purchase } from './script';
import type { Process, Stage } from './stage';

/** One order service as a client reaches it. */
export interface Gateway {
  process: Process;
  orders: OrderReplica['orders'];
}

const MOST_POSTS = 3;
const MOST_DELETES = 2;

export class Client {
  /** As on the wire: status, headers that belong to the answer, and body. */
  readonly answers: string[] = [];
  orderId?: string;
  /** The id that the client chose. */
  private readonly ownId?: string;
  /** A DELETE was answered with 204. */
  cancelled = false;
  private posts = 0;
  private deletes = 0;
  private calls: { process: Process; hangUp: () => void }[] = [];
  private readonly claim: Claim;
  private readonly body: { customerId: string; items: Purchase['items']; payment: { source: string } };

  constructor(
    private readonly stage: Stage,
    private readonly tenant: string,
    readonly purchase: Purchase,
  ) {
    const { name, items, source, namesIt } = purchase;
    this.body = { customerId: name, items, payment: { source } };
    this.ownId = namesIt ? randomUUID() : undefined;
    this.claim = this.ownId
      ? claimOfPut(tenant, this.ownId, this.body)
      : { scope: `${tenant}|${name}|POST /orders`, key: name, fingerprint: fingerprintOf(this.body) };
  }

  get waits(): boolean {
    return this.calls.length > 0;
  }

  /** What it may do next in bad times. Who is patient changes its mind late: when somebody has paid. */
  wishes({ isPaid }: { isPaid: boolean }): ('posts' | 'deletes')[] {
    if (this.calls.length > 1) return [];
    const wishes: ('posts' | 'deletes')[] = [];
    if (this.posts < MOST_POSTS) wishes.push('posts');
    const isTime = this.purchase.impatient || isPaid;
    if (this.purchase.cancels && isTime && this.orderId && this.deletes < MOST_DELETES) wishes.push('deletes');
    return wishes;
  }

  post({ process, orders }: Gateway): void {
    this.posts++;
    const caller = { tenant: this.tenant, principal: this.purchase.name, roles: ['customer'] } as never;
    void this.call(process, 'POST', () =>
      orders.place({ claim: this.claim, caller, body: this.body, id: this.ownId, traceparent: newTraceparent() }),
    ).then((outcome) => this.hear(outcome));
  }

  delete({ process, orders }: Gateway): void {
    this.deletes++;
    const key = { tenant: this.tenant, id: this.orderId! };
    void this.call(process, 'DELETE', () => orders.cancel(key).then(() => true)).then((done) => {
      this.cancelled ||= done === true;
    });
  }

  /** The connection to a killed process breaks, and the client does not know what became of its request. */
  hangUpOn(process: Process): void {
    for (const call of this.calls) if (call.process === process) call.hangUp();
  }

  private async call<T>(process: Process, method: string, work: () => Promise<T>): Promise<T | undefined> {
    let hangUp!: () => void;
    const broken = new Promise<undefined>((resolve) => (hangUp = () => resolve(undefined)));
    const call = { process, hangUp };
    this.calls.push(call);
    const done = work().catch((error: Error) => {
      this.stage.note(`${method} fails, ${error.message}`);
      return undefined;
    });
    const result = await Promise.race([done, broken]);
    this.calls = this.calls.filter((one) => one !== call);
    this.stage.note(`${this.purchase.name} is through with its ${method}`);
    return result;
  }

  private hear(outcome: Outcome | undefined): void {
    if (outcome?.kind === 'fresh' || outcome?.kind === 'replayed') {
      const { status, body } = outcome.answer;
      this.answers.push(`${status} ${body}`);
      if (status === 201) this.orderId = (JSON.parse(body) as { id: string }).id;
    } else if (outcome?.kind === 'reused' || outcome?.kind === 'erased') {
      this.answers.push(outcome.kind);
    }
  }
}
