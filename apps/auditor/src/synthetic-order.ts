/**
 * One order that nobody wants, from its placing to the refund: it sees what a customer would see. It uses what clients
 * may use and nothing else, in a tenant of its own.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answered, Asked, Client } from './client';

export const stages = ['prepare', 'place', 'confirm', 'cancel', 'refund', 'restock'] as const;
/** How far it has come when it fails. */
export type Stage = (typeof stages)[number];

export type Outcome = { ok: true; orderId: string } | { ok: false; stage: Stage; why: string; orderId?: string };

const SKU = 'synthetic';
const PRICE = { amount: 100, currency: 'EUR' };
/** Each order that could not be cancelled keeps a piece. */
const PIECES = 1_000;
const FEW_PIECES = 10;
/** The services hold such a question until there is news. */
const WAIT_SECONDS = 10;
const LOOK_AGAIN_MS = 500;
/** For the cancellation of an order that has failed. It is tried, and not more. */
const TIDY_WITHIN_MS = 5_000;

class StageError extends Error {}

export interface SyntheticOrderOptions {
  client: Pick<Client, 'ask'>;
  source: string;
  timeoutMs: number;
  /** The process is to stop. */
  stopping?: AbortSignal;
}

export async function placeSyntheticOrder(options: SyntheticOrderOptions): Promise<Outcome> {
  const { stopping, timeoutMs } = options;
  const time = AbortSignal.timeout(timeoutMs);
  const signal = stopping ? AbortSignal.any([time, stopping]) : time;
  const order = new SyntheticOrder(options, signal);
  try {
    await order.run();
    return { ok: true, orderId: order.id! };
  } catch (error) {
    const why = error instanceof StageError ? error.message : 'its time was over';
    await order.tidy();
    return { ok: false, stage: order.stage, why, orderId: order.id };
  }
}

class SyntheticOrder {
  stage: Stage = 'prepare';
  id?: string;

  constructor(
    private readonly options: SyntheticOrderOptions,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const available = await this.prepare();
    this.stage = 'place';
    await this.place();
    this.stage = 'confirm';
    await this.until(`/orders/${this.id}`, ({ status, reason }) => isStatus('confirmed', status, reason));
    this.stage = 'cancel';
    await this.cancel(this.signal);
    await this.until(`/orders/${this.id}`, ({ status, reason, cancellationRefused }) =>
      cancellationRefused ? `it was refused: ${codeOf(cancellationRefused)}` : isStatus('cancelled', status, reason),
    );
    this.stage = 'refund';
    await this.refunded();
    this.stage = 'restock';
    await this.restocked(available);
  }

  /** What has failed must not keep its pieces, or the money. */
  async tidy(): Promise<void> {
    if (this.id) await this.cancel(AbortSignal.timeout(TIDY_WITHIN_MS)).catch(() => undefined);
  }

  /** Makes the product and its stock if they are not there, and returns how many pieces are free. */
  private async prepare(): Promise<number> {
    const product = { name: 'Synthetic order', unitPrice: PRICE };
    await this.ask('order', `/products/${SKU}`, { method: 'PUT', body: product }, [200, 201]);
    const stock: Asked = { method: 'PUT', body: { onHand: PIECES }, headers: { 'if-none-match': '*' } };
    await this.ask('inventory', `/stock/${SKU}`, stock, [200, 201, 412]);
    const available = await this.available();
    if (available >= FEW_PIECES) return available;
    const more = { delta: PIECES, reason: 'synthetic orders' };
    const headers = { 'idempotency-key': randomUUID() };
    await this.ask('inventory', `/stock/${SKU}/adjustments`, { method: 'POST', body: more, headers }, [201]);
    return available + PIECES;
  }

  private async place(): Promise<void> {
    const body = {
      customerId: 'synthetic',
      items: [{ sku: SKU, quantity: 1 }],
      payment: { source: this.options.source },
    };
    const headers = { 'idempotency-key': randomUUID() };
    const placed = await this.ask('order', '/orders', { method: 'POST', body, headers }, [201]);
    this.id = String(placed.body['id']);
  }

  private async cancel(signal: AbortSignal): Promise<void> {
    await this.ask('order', `/orders/${this.id}`, { method: 'DELETE' }, [204], signal);
  }

  /** The customer has everything back that was taken. */
  private async refunded(): Promise<void> {
    for (;;) {
      const { body } = await this.ask('payment', `/payments?orderId=${this.id}`, {}, [200]);
      const payments = (Array.isArray(body['items']) ? body['items'] : []) as Record<string, unknown>[];
      const taken = payments.filter(({ captured }) => Number(captured) > 0);
      if (taken.length > 1) throw new StageError('it was charged more than once');
      if (taken.length === 1 && taken[0]!['captured'] === taken[0]!['refunded']) return;
      await this.pause();
    }
  }

  /** Nobody else takes pieces of it, but an order before this one may give its piece back. */
  private async restocked(before: number): Promise<void> {
    while ((await this.available()) < before) await this.pause();
  }

  private async available(): Promise<number> {
    const { body } = await this.ask('inventory', `/stock/${SKU}`, {}, [200]);
    return Number(body['available']);
  }

  /** Looks until `isThere` says true. A text is the reason why it never will be. */
  private async until(path: string, isThere: (order: Record<string, unknown>) => boolean | string): Promise<void> {
    for (;;) {
      const { body } = await this.ask('order', path, { headers: { prefer: `wait=${WAIT_SECONDS}` } }, [200]);
      const there = isThere(body);
      if (typeof there === 'string') throw new StageError(there);
      if (there) return;
      await this.pause();
    }
  }

  private async ask(
    service: Parameters<Client['ask']>[0],
    path: string,
    asked: Asked,
    expected: readonly number[],
    signal = this.signal,
  ): Promise<Answered> {
    const answered = await this.options.client.ask(service, path, asked, signal);
    if (expected.includes(answered.status)) return answered;
    const { status, body } = answered;
    throw new StageError(`${service} answered ${asked.method ?? 'GET'} with ${status} ${codeOf(body['code'])}`);
  }

  private async pause(): Promise<void> {
    await pause(LOOK_AGAIN_MS, undefined, { signal: this.signal });
  }
}

/** An order ends one way only. */
function isStatus(wanted: 'confirmed' | 'cancelled', status: unknown, reason: unknown): boolean | string {
  if (status === wanted) return true;
  const isLost = wanted === 'confirmed' && (status === 'cancelled' || status === 'cancelling');
  return isLost ? `it was cancelled: ${codeOf(reason)}` : false;
}

/** A stable code, and nothing else that somebody may have written. */
const codeOf = (value: unknown): string => (typeof value === 'string' && /^[\w-]{1,60}$/.test(value) ? value : '');
