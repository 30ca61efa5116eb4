/** What the scenes of the demo work with. It prints what happens, and notes what is not as announced. */
import { randomUUID } from 'node:crypto';
import { printable } from '@shop/observability';
import { ApiClient, type ApiResponse } from './api-client';
import { DEVELOPMENT_KEY, DEVELOPMENT_WEBHOOK_SECRET } from './development-key';
import type { ServiceName } from './services';
import type { System } from './system';
import { type SagaStory, timelineOf } from './timeline';

export interface Order {
  id: string;
  status: string;
  reason?: string;
  code?: string;
  /** What the customer has to do first. */
  nextAction?: { type: string; url: string; expiresAt: string };
}

export interface Scene {
  title: string;
  play: (stage: Stage) => Promise<void>;
}

/** Each takes up to a second. */
const MAX_LOOKS = 20;
/** Half a minute: what follows an order leaves at once, but one after the other. */
const MAX_GLANCES = 300;
const GLANCE_MS = 100;

export const print = (line = ''): void => void process.stdout.write(`${printable(line)}\n`);

export class Stage {
  readonly surprises: string[] = [];
  readonly clients: Record<ServiceName, ApiClient>;

  constructor(readonly system: System) {
    const { urls } = system;
    this.clients = {
      order: new ApiClient(urls.order, DEVELOPMENT_KEY),
      inventory: new ApiClient(urls.inventory, DEVELOPMENT_KEY),
      payment: new ApiClient(urls.payment, DEVELOPMENT_KEY),
      fulfilment: new ApiClient(urls.fulfilment, DEVELOPMENT_KEY),
      sandbox: new ApiClient(urls.sandbox),
    };
  }

  place(sku: string, quantity: number, source: string, key: string = randomUUID()): Promise<ApiResponse<Order>> {
    const body = { customerId: 'alice', items: [{ sku, quantity }], payment: { source } };
    return this.clients.order.post<Order>('/orders', body, key);
  }

  /** What is known is not news: so the wait goes on while the order waits for its customer. */
  async settled(id: string): Promise<ApiResponse<Order>> {
    const { order } = this.clients;
    const isSettled = ({ body }: ApiResponse<Order>) => ['confirmed', 'cancelled'].includes(body?.status);
    const known = await order.get<Order>(`/orders/${id}`);
    if (isSettled(known)) return known;
    const headers = { prefer: 'wait=30', 'if-none-match': known.headers.get('etag') ?? '' };
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const answer = await order.get<Order>(`/orders/${id}`, headers);
      if (isSettled(answer)) return answer;
    }
    throw new Error(`order ${id} is not settled`);
  }

  /** Waits until the order waits for its customer, and returns the page of the bank. */
  async bankPage(id: string): Promise<string> {
    const { order } = this.clients;
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const { nextAction, status } = (await order.get<Order>(`/orders/${id}`, { prefer: 'wait=1' })).body;
      if (nextAction) {
        print(`  order ${id}: ${status}, the customer has to approve it on ${nextAction.url}`);
        return nextAction.url;
      }
    }
    throw new Error(`order ${id} does not wait for its customer`);
  }

  /** How the provider sends its events from now on. Without an argument, each comes once and at once. */
  async sendWebhooks(how: { enabled?: boolean; repeat?: number; shuffle?: boolean } = {}): Promise<void> {
    const url = `${this.system.urls.payment}/webhooks/stripe`;
    const { status } = await this.clients.sandbox.put('/admin/webhooks', {
      url,
      secret: DEVELOPMENT_WEBHOOK_SECRET,
      ...how,
    });
    this.expect(status === 200, 'the provider should take the settings of its webhooks');
  }

  /** Presses a button on the page of the bank, as a browser would. Returns the status of the answer. */
  async press(page: string, outcome: 'approve' | 'decline'): Promise<number> {
    const { status } = await fetch(page, {
      method: 'POST',
      body: new URLSearchParams({ outcome }),
      redirect: 'manual',
    });
    print(`  the customer presses ${outcome} (${status})`);
    return status;
  }

  /** Waits until the order is settled, prints its story and checks its end. */
  async tell(id: string, status: string, reason?: string): Promise<void> {
    const { order } = this.clients;
    const settled = await this.settled(id);
    const saga = await order.get<SagaStory>(`/orders/${id}/saga`);
    print(`  order ${id}: ${settled.body.status}${settled.body.reason ? ` (${settled.body.reason})` : ''}`);
    for (const line of timelineOf(saga.body)) print(`  ${line}`);
    this.expect(settled.body.status === status, `the order should be ${status}`);
    this.expect(settled.body.reason === reason, `the reason should be ${reason ?? 'none'}`);
  }

  expect(truth: boolean, otherwise: string): void {
    if (truth) return;
    this.surprises.push(otherwise);
    print(`  SURPRISE: ${otherwise}`);
  }
}

/** Looks until it is as it should be, or for so long that it never will be. */
export async function look<T>(read: () => Promise<T>, isFit: (found: T) => boolean): Promise<T> {
  let found = await read();
  for (let glances = 0; glances < MAX_GLANCES && !isFit(found); glances++) {
    await new Promise((resolve) => setTimeout(resolve, GLANCE_MS));
    found = await read();
  }
  return found;
}
