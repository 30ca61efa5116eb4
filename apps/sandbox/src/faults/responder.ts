/** Sends an answer the way the plan says: late, as somebody else's error, or not at all. */
import type { Socket } from 'node:net';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { counter, type Logger } from '@shop/observability';
import { Problem } from '@shop/problem';
import type { FastifyReply } from 'fastify';
import { LOGGER } from '@shop/service';
import type { Answer } from '../stripe/answer';
import { keyInUse, rateLimited, unavailable } from '../stripe/stripe-error';
import type { Fault } from './fault';
import type { Plan } from './faults';

/** How an API says that it fails. */
export interface FaultWords {
  rateLimited: () => Error;
  unavailable: () => Error;
}

const stripeWords: FaultWords = { rateLimited, unavailable };

/** Of an API that answers errors as the services of the shop do. */
export const problemWords: FaultWords = {
  rateLimited: () =>
    new Problem(429, 'rate_limited', 'too many requests; come again in a second', { headers: { 'retry-after': '1' } }),
  unavailable: () => new Problem(500, 'internal_error', 'this request has failed, and nothing was done'),
};

/** A request that is never answered keeps its connection open this long: longer than a caller waits. */
const HOLD_MS = 10_000;

const injected = counter('sandbox_faults_total', 'Faults shown to callers', ['fault']);

@Injectable()
export class Responder implements OnModuleDestroy {
  private readonly keysInUse = new Set<string>();
  private readonly pauses = new Set<() => void>();

  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  /** Does the work (unless a fault comes first) and answers. Of two requests with one key at the same time, the second gets 409. */
  async send(
    reply: FastifyReply,
    plan: Plan,
    work: () => Answer<object>,
    { key, words = stripeWords }: { key?: string; words?: FaultWords } = {},
  ): Promise<void> {
    if (key !== undefined && this.keysInUse.has(key)) throw keyInUse(key);
    let answer: Answer<object>;
    try {
      if (key !== undefined) this.keysInUse.add(key);
      if (plan.delayMs > 0) await this.pause(plan.delayMs);
      if (plan.fault) this.report(plan.fault, key);
      if (plan.fault === 'reset') return reset(reply);
      if (plan.fault === 'rate_limited') throw words.rateLimited();
      if (plan.fault === 'error') throw words.unavailable();
      answer = work();
    } finally {
      if (key !== undefined) this.keysInUse.delete(key);
    }
    if (plan.fault === 'answer_lost') return hangUp(reply);
    if (plan.fault === 'never_answered') return this.hold(reply);
    if (answer.replayed) void reply.header('idempotent-replayed', 'true');
    void reply.status(answer.status).send(answer.body);
  }

  /** A shutdown does not wait for delayed answers: they are sent now. */
  onModuleDestroy(): void {
    for (const wake of this.pauses) wake();
  }

  private async hold(reply: FastifyReply): Promise<void> {
    reply.hijack();
    const { socket } = reply.request.raw;
    await this.pause(HOLD_MS, socket);
    socket.destroy();
  }

  /** Ends early when the process stops or the caller, if given, goes away. */
  private pause(ms: number, caller?: Socket): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        caller?.off('close', wake);
        this.pauses.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      caller?.once('close', wake);
      this.pauses.add(wake);
    });
  }

  private report(fault: Fault, idempotencyKey?: string): void {
    injected.inc({ fault });
    this.logger.info({ fault, idempotencyKey }, 'sandbox.fault.injected');
  }
}

function reset(reply: FastifyReply): void {
  reply.hijack();
  reply.request.raw.socket.resetAndDestroy();
}

function hangUp(reply: FastifyReply): void {
  reply.hijack();
  reply.request.raw.socket.destroy();
}
