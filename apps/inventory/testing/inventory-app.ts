/** The inventory service in the process of a test. The test sends it requests without a socket. */
import { randomUUID } from 'node:crypto';
import { type Answer, callersOf, expectProblem, TestClient } from '@shop/http/testing';
import { openService, type ServiceUrls } from '@shop/service/testing';
import { inventoryService } from '../src/app';
import { ExpiringReservations } from '../src/reservations/expiring-reservations';

const known = callersOf({
  operator: 'acme/olga:customer+operator',
  /** An operator of the same tenant. */
  second: 'acme/otto:operator',
  customer: 'acme/carl:customer',
  /** Another customer of the same tenant. */
  cora: 'acme/cora:customer',
  /** A caller of another tenant. */
  rival: 'rival/rita:operator',
});
export const { callers } = known;
export { type Answer, expectProblem };

/** Requests come from the operator, unless a call names another caller. */
export class InventoryApp extends TestClient {
  static async start(urls: ServiceUrls): Promise<InventoryApp> {
    const { API_KEYS } = known;
    const app = await openService(inventoryService, urls, { API_KEYS }, { takesMessages: false });
    return new InventoryApp(app, callers.operator);
  }

  get(sku: string, headers?: Record<string, string>) {
    return this.call('GET', `/stock/${sku}`, { headers });
  }

  put(sku: string, onHand: number, headers?: Record<string, string>) {
    return this.call('PUT', `/stock/${encodeURIComponent(sku)}`, { body: { onHand }, headers });
  }

  adjust(sku: string, body: object, idempotencyKey: string = randomUUID(), key: string = callers.operator) {
    return this.call('POST', `/stock/${sku}/adjustments`, {
      key,
      body,
      headers: { 'idempotency-key': idempotencyKey },
    });
  }

  /** POST /reservations, as the customer unless another key is given. */
  reserve(body: object, { key = callers.customer, idempotencyKey = randomUUID() } = {}) {
    return this.call('POST', '/reservations', { key, body, headers: { 'idempotency-key': idempotencyKey } });
  }

  /** PUT /reservations/{id}, as the customer unless another key is given. */
  reserveAs(id: string, body: object, { key = callers.customer, headers = {} } = {}) {
    return this.call('PUT', `/reservations/${id}`, { key, body, headers });
  }

  reservation(id: string, key: string = callers.customer) {
    return this.call('GET', `/reservations/${id}`, { key });
  }

  release(id: string, { key = callers.customer, headers = {} } = {}) {
    return this.call('DELETE', `/reservations/${id}`, { key, headers });
  }

  /** Creates the stock, and then what is allowed for it. */
  async putPolicy(sku: string, policy: { backorderLimit?: number; customerLimit?: number | null }): Promise<void> {
    const body = { backorderLimit: 0, customerLimit: null, ...policy };
    const answer = await this.call('PUT', `/stock/${sku}/policy`, { body, headers: { 'if-match': '*' } });
    if (answer.statusCode !== 200) throw new Error(`the policy was not set: ${answer.body}`);
  }

  /** Lets the timer of this replica look now. */
  lookForExpired(): void {
    this.app.get(ExpiringReservations).expectIn(0);
  }

  async movementsOf(sku: string): Promise<number[]> {
    const select = 'select delta from stock_movement where sku = $1 order by id';
    return (await this.query<{ delta: string }>(select, [sku])).map(({ delta }) => Number(delta));
  }
}

/** A body for `reserve`: so many pieces of each SKU. */
export const linesOf = (...lines: [sku: string, quantity: number][]) => ({
  lines: lines.map(([sku, quantity]) => ({ sku, quantity })),
});

export const newSku = () => `sku-${randomUUID()}`;
