/**
 * The first transaction of a batch of commands: what each of them has to do is decided and claimed before anybody
 * outside is called. A key that is claimed here is pending, under a lease, until its outcome is recorded.
 */
import { hostname } from 'node:os';
import {
  type Claim,
  countDecision,
  type Decision,
  decisionOf,
  type Entry,
  isLeft,
  type Ledger,
  newLeaseToken,
  repeatOf,
} from '@shop/idempotency';
import type { Reply } from '@shop/messaging';
import { type Database, isUniqueViolation, type Tx } from '@shop/postgres';
import { type Payment, planRefund } from './payment';
import { answerOf, type PaymentCommand, refused, refusedInDoubt, replyOf, SCOPE, succeeded } from './payment-command';
import { insertPayments, loadPayments, type NewPayment, PAYMENT_PRIMARY_KEY, paymentKey } from './payments.repository';

/** What is left to do for a command, outside the transaction. */
export type Plan =
  | { do: 'answer'; reply: Reply }
  /** Somebody else is on it; ask again later. */
  | { do: 'wait' }
  /**
   * `key` is the claimed one: of the charge itself, also when a refund has to find its outcome out first. Asked before,
   * the provider may have the money already, whatever it says now.
   */
  | { do: 'charge' | 'resolve-charge'; key: string; token: string; payment: NewPayment; askedBefore: boolean }
  | { do: 'refund'; key: string; token: string; payment: Payment }
  | { do: 'record'; key: string; token: string; reply: Reply };

/** Longer than a call to the provider may take; after a crash, work goes on this much later. */
const LEASE_MS = 9_000;
const OWNER = `${hostname()}/${process.pid}`;

/**
 * Charges are new as a rule, so they are first claimed as if nothing were known of them, in one trip: a key or payment
 * that is there already makes that fail, and it is run again with what there is.
 */
export async function claimCommands(
  { database, ledger }: { database: Database; ledger: Ledger },
  commands: readonly PaymentCommand[],
): Promise<Plan[]> {
  let seemNew = commands.every(({ kind }) => kind === 'charge');
  const { plans, decisions } = await database.transaction(
    async (tx) => {
      const board = seemNew ? new Board([], new Map()) : await readBoard(tx, ledger, commands);
      seemNew = false;
      const planned = commands.map((command) => board.plan(command));
      return { plans: await board.save(tx, ledger, planned), decisions: board.decisions };
    },
    (error) => ledger.isLostRace(error) || isUniqueViolation(error, PAYMENT_PRIMARY_KEY),
  );
  for (const decision of decisions) countDecision(decision);
  return plans;
}

async function readBoard(tx: Tx, ledger: Ledger, commands: readonly PaymentCommand[]): Promise<Board> {
  const keys = commands.flatMap(({ claim, chargeId }) => [claim.key, chargeId]).map((key) => ({ scope: SCOPE, key }));
  const [entries, payments] = await Promise.all([
    ledger.find(tx, uniqueKeys(keys)),
    loadPayments(
      tx,
      commands.map(({ tenant, paymentId }) => ({ tenant, id: paymentId })),
    ),
  ]);
  return new Board(entries, payments);
}

/** What the batch knows, and what it is going to write; each command sees what the ones before it did. */
class Board {
  /** What the ledger made of each command, in order. */
  readonly decisions: Decision[] = [];
  private readonly entries: Map<string, Entry>;
  private readonly token = newLeaseToken();
  private readonly leased: Claim[] = [];
  private readonly takenOver: string[] = [];
  private readonly completed: (Entry & { status: 'completed' })[] = [];
  private readonly newPayments: NewPayment[] = [];

  constructor(
    entries: readonly Entry[],
    private readonly payments: ReadonlyMap<string, Payment>,
  ) {
    this.entries = new Map(entries.map((entry) => [entry.key, entry]));
  }

  plan(command: PaymentCommand): Plan {
    const { key, fingerprint } = command.claim;
    const entry = this.entries.get(key);
    const repeat = entry && repeatOf(entry, fingerprint);
    const resumes = entry !== undefined && isLeft(entry, fingerprint);
    this.decisions.push(resumes ? 'resumed' : repeat ? decisionOf(repeat) : 'fresh');
    if (repeat && !resumes) {
      if (repeat.kind === 'replayed') return { do: 'answer', reply: replyOf(repeat.answer) };
      if (repeat.kind === 'reused') return { do: 'answer', reply: refusedInDoubt('command_id_reused') };
      return { do: 'wait' };
    }
    const payment = this.payments.get(paymentKey({ tenant: command.tenant, id: command.paymentId }));
    return command.kind === 'charge' ? this.planCharge(command, payment) : this.planRefund(command, payment);
  }

  private planCharge(command: Extract<PaymentCommand, { kind: 'charge' }>, payment: Payment | undefined): Plan {
    const { claim, body, paymentId, tenant } = command;
    const { orderId, amount, currency, source } = body;
    // The ledger may have forgotten it; the payment, named after the command, has not.
    if (payment?.status === 'succeeded') return this.record(claim, succeeded({ paymentId }));
    if (payment?.status === 'declined') return this.record(claim, refused('payment_declined'));
    const wanted: NewPayment = payment ?? { tenant, id: paymentId, orderId, amount, currency, source };
    if (!payment) this.newPayments.push(wanted);
    const askedBefore = payment !== undefined;
    return { do: 'charge', key: claim.key, token: this.claim(claim), payment: wanted, askedBefore };
  }

  private planRefund(command: Extract<PaymentCommand, { kind: 'refund' }>, payment: Payment | undefined): Plan {
    const { claim, chargeId, paymentId } = command;
    switch (planRefund(this.entries.get(chargeId), payment)) {
      case 'bar-charge':
        this.complete(chargeId, null, refused('undone'));
        return this.record(claim, succeeded({ result: 'never_charged' }));
      case 'nothing-to-refund':
        return this.record(claim, succeeded({ result: 'nothing_to_refund', paymentId }));
      case 'wait-for-charge':
        return { do: 'wait' };
      case 'resolve-charge':
        return {
          do: 'resolve-charge',
          key: chargeId,
          token: this.takeOver(chargeId),
          payment: payment!,
          askedBefore: true,
        };
      case 'refund':
        return { do: 'refund', key: claim.key, token: this.claim(claim), payment: payment! };
    }
  }

  /** The answer is known already: no call to the provider. */
  private record(claim: Claim, reply: Reply): Plan {
    if (this.entries.has(claim.key)) return { do: 'record', key: claim.key, token: this.takeOver(claim.key), reply };
    this.complete(claim.key, claim.fingerprint, reply);
    return { do: 'answer', reply };
  }

  private complete(key: string, fingerprint: Buffer | null, reply: Reply): void {
    const entry = { scope: SCOPE, key, fingerprint, status: 'completed', answer: answerOf(reply) } as const;
    this.entries.set(key, entry);
    this.completed.push(entry);
  }

  private claim(claim: Claim): string {
    if (this.entries.has(claim.key)) return this.takeOver(claim.key);
    this.entries.set(claim.key, { ...claim, status: 'pending', leaseExpired: false });
    this.leased.push(claim);
    return this.token;
  }

  private takeOver(key: string): string {
    this.entries.set(key, { ...this.entries.get(key)!, status: 'pending', leaseExpired: false });
    this.takenOver.push(key);
    return this.token;
  }

  /** Answers the plans, with those whose lease somebody else took over first turned into waiting. */
  async save(tx: Tx, ledger: Ledger, plans: Plan[]): Promise<Plan[]> {
    const lease = { owner: OWNER, token: this.token, durationMs: LEASE_MS };
    insertPayments(tx, this.newPayments);
    ledger.record(tx, this.completed);
    ledger.lease(tx, this.leased, lease);
    if (this.takenOver.length === 0) return plans;
    const got = await ledger.takeOver(
      tx,
      this.takenOver.map((key) => ({ scope: SCOPE, key })),
      lease,
    );
    const lost = new Set(this.takenOver.filter((key) => !got.has(key)));
    return plans.map((plan) => ('key' in plan && lost.has(plan.key) ? { do: 'wait' } : plan));
  }
}

function uniqueKeys(keys: { scope: string; key: string }[]): { scope: string; key: string }[] {
  return [...new Map(keys.map((one) => [one.key, one])).values()];
}
