/** The inventory service in the process of a test. The test sends it requests without a socket. */
import { randomUUID } from 'node:crypto';
import { type Answer, callersOf, expectProblem, TestClient } from '@shop/http/testing';
import { openService, type ServiceUrls } from '@shop/service/testing';
import { inventoryService } from '../src/app';

const known = callersOf({
  operator: 'acme/olga:customer+operator',
  /** An operator of the same tenant. */
  second: 'acme/otto:operator',
  customer: 'acme/carl:customer',
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

  async movementsOf(sku: string): Promise<number[]> {
    const select = 'select delta from stock_movement where sku = $1 order by id';
    return (await this.query<{ delta: string }>(select, [sku])).map(({ delta }) => Number(delta));
  }
}

export const newSku = () => `sku-${randomUUID()}`;
