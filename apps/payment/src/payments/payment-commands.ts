/**
 * Carries out charges and refunds: claim, call the provider outside any transaction, record.
 *
 * The command's id is the provider's idempotency key, so whoever takes a command over asks for the same charge. What
 * the provider did not tell is unknown: the key stays pending, and the next delivery, or the undo, asks again.
 */
import { Inject, Injectable } from '@nestjs/common';
import { LeaseLostError, Ledger } from '@shop/idempotency';
import { MAILBOX_LANE, type Message, type Reply } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database, Lane } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { LOGGER } from '@shop/service';
import { claimCommands, type Plan } from './claim-commands';
import { type PaymentCommand, readCommand, refused, SCOPE, succeeded } from './payment-command';
import { type ChargeResult, PROVIDER, type Provider } from './provider';
import { ProviderCalls } from './provider-calls';
import { type OutcomeRecord, recordOutcomes } from './record-outcomes';

/** Charge found out, refunded, answered: more rounds would mean that somebody keeps taking the lease. */
const MAX_ROUNDS = 3;
/** Who waits for somebody else's work looks again after this; the other may have died with it. */
const WAIT_MS = 1_000;

/** The provider is not asked to take nothing. */
const NOTHING_TO_PAY: ChargeResult = { outcome: 'succeeded', reference: 'nothing-to-pay' };

@Injectable()
export class PaymentCommands {
  private readonly claiming: Lane<PaymentCommand, Plan>;
  private readonly recording: Lane<OutcomeRecord, boolean>;
  private readonly calls: ProviderCalls;

  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    @Inject(PROVIDER) provider: Provider,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.calls = new ProviderCalls(provider, logger);
    this.claiming = new Lane({
      ...MAILBOX_LANE,
      run: (commands) => claimCommands({ database, ledger }, commands),
    });
    this.recording = new Lane({ ...MAILBOX_LANE, run: (records) => recordOutcomes({ database, ledger }, records) });
  }

  /** @throws RetryableError while the outcome is unknown or somebody else is on it */
  async perform(message: Message, options: { alone: boolean }): Promise<Reply> {
    const command = readCommand(message);
    if ('outcome' in command) return command;
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const plan = await this.claiming.submit(command, options);
      switch (plan.do) {
        case 'answer':
          return plan.reply;
        case 'charge':
          return this.charge(plan);
        case 'resolve-charge':
          await this.charge(plan);
          continue;
        case 'refund':
          return this.refund(plan);
        case 'record':
          return this.record(plan);
        case 'wait':
          throw new RetryableError(`${message.id} is being worked on`, { retryAfterMs: WAIT_MS });
      }
    }
    throw new RetryableError(`${message.id} could not be settled`);
  }

  private async charge(plan: Extract<Plan, { do: 'charge' | 'resolve-charge' }>): Promise<Reply> {
    const { key, token, payment, askedBefore } = plan;
    const { tenant, id, amount, currency, source } = payment;
    const request = { idempotencyKey: key, paymentId: id, amount, currency, source };
    const result =
      amount === 0
        ? NOTHING_TO_PAY
        : await this.holding(key, token, () =>
            this.calls.charge(request, { ids: { messageId: key, paymentId: id }, askedBefore }),
          );
    const paid = result.outcome === 'succeeded';
    return this.record({
      key,
      token,
      reply: paid ? succeeded({ paymentId: id }) : refused('payment_declined'),
      charged: {
        tenant,
        id,
        status: paid ? 'succeeded' : 'declined',
        providerReference: paid ? result.reference : null,
        declineReason: paid ? null : result.reason,
      },
    });
  }

  private async refund({ key, token, payment }: Extract<Plan, { do: 'refund' }>): Promise<Reply> {
    const { tenant, id, amount, providerReference } = payment;
    const request = { idempotencyKey: key, reference: providerReference!, amount };
    const result = await this.holding(key, token, () =>
      this.calls.refund(request, { ids: { messageId: key, paymentId: id }, askedBefore: false }),
    );
    if (result.outcome === 'refused') {
      // Whether one before it was given back or not: not stored, the saga parks, and what an operator mends may then be asked for again.
      await this.giveBack(key, token);
      return refused('refund_refused');
    }
    const reply = succeeded({ result: 'refunded', paymentId: id });
    return this.record({ key, token, reply, refunded: { tenant, id, reference: result.reference } });
  }

  /** Gives the lease back when the call fails, so that the next delivery need not wait for it to run out. */
  private async holding<T>(key: string, token: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      await this.giveBack(key, token);
      throw error;
    }
  }

  private async giveBack(key: string, token: string): Promise<void> {
    await this.database
      .transaction(async (tx) => this.ledger.release(tx, [{ scope: SCOPE, key, token }]))
      .catch(() => undefined);
  }

  private async record(outcome: OutcomeRecord): Promise<Reply> {
    const { key, token, reply, charged, refunded } = outcome;
    const owned = await this.recording.submit({ key, token, reply, charged, refunded });
    // Somebody else took it over and has, or will have, the same answer from the provider.
    if (!owned) throw new LeaseLostError(key);
    return reply;
  }
}
