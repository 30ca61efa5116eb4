/** Carts for tests: made, read and changed over HTTP, and put in order through two replicas in turn. */
import { randomUUID } from 'node:crypto';
import type { Answer, Call } from '@shop/http/testing';
import type { OrderApp } from './order-app';

export interface CartJson {
  id: string;
  status: string;
  items: { sku: string; quantity: number }[];
  promotions: { code: string; amount: number; applies: boolean; reason?: string }[];
  total?: { amount: number; currency: string };
  short: object[];
  unknown: string[];
  degraded: string[];
  orderId?: string;
  version: number;
}

export const newCartId = () => `cart-${randomUUID()}`;
export const newCode = () => `P-${randomUUID().toUpperCase()}`;

export const cartBody = (quantity = 1, changed: object = {}): object => ({
  customerId: 'alice',
  items: [{ sku: 'cup', quantity }],
  ...changed,
});

export class Carts {
  constructor(readonly app: OrderApp) {}

  put(id: string, body: object = cartBody(), call: Call & { ifMatch?: string } = {}): Promise<Answer> {
    return this.app.put(`/carts/${id}`, body, matching(call));
  }

  patch(id: string, body: object | string, ifMatch?: string, call: Call = {}): Promise<Answer> {
    const headers = { 'content-type': 'application/merge-patch+json', ...call.headers };
    return this.app.call('PATCH', `/carts/${id}`, { ...matching({ ...call, headers, ifMatch }), body });
  }

  get(id: string, call?: Call): Promise<Answer> {
    return this.app.get(`/carts/${id}`, call);
  }

  delete(id: string, call: Call & { ifMatch?: string } = {}): Promise<Answer> {
    return this.app.call('DELETE', `/carts/${id}`, matching(call));
  }

  want(id: string, code: string, call: Call & { ifMatch?: string } = {}): Promise<Answer> {
    return this.app.call('PUT', `/carts/${id}/promotions/${code}`, matching(call));
  }

  leave(id: string, code: string, call: Call & { ifMatch?: string } = {}): Promise<Answer> {
    return this.app.call('DELETE', `/carts/${id}/promotions/${code}`, matching(call));
  }

  /** What is stored of it, also when it is deleted. */
  async stored(id: string): Promise<{ version: number; quantities: number[]; codes: string[] }> {
    const [row] = await this.app.query<{ version: number; items: CartJson['items']; codes: string[] }>(
      `select version, items, array(select code from cart_promotion p where p.cart_id = c.id order by code) as codes
       from cart c where id = $1`,
      [id],
    );
    const { version, items, codes } = row!;
    return { version, quantities: items.map(({ quantity }) => quantity), codes };
  }
}

function matching({ ifMatch, headers, ...call }: Call & { ifMatch?: string }): Call {
  return { ...call, headers: { ...headers, ...(ifMatch !== undefined && { 'if-match': ifMatch }) } };
}
