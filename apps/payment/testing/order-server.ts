/** An order service on a real socket, with the orders that a test has made, and with its failures. */
import { randomUUID } from 'node:crypto';
import { answersWith, FakeNeighbour, type Way } from '@shop/service/testing';

export interface OrderJson {
  id: string;
  status: string;
  items: { sku: string; quantity: number; unitPrice: Money; discount?: Money }[];
  total: Money;
  placedBy?: string;
}

interface Money {
  amount: number;
  currency: string;
}

const EUR = (amount: number): Money => ({ amount, currency: 'EUR' });

export class OrderServer {
  private readonly orders = new Map<string, OrderJson & { tenant: string }>();
  /** For every request, while it is there. */
  fails?: Way;

  private constructor(private readonly neighbour: FakeNeighbour) {
    neighbour.way = (response, request) => this.answer(response, request);
  }

  static async open(): Promise<OrderServer> {
    return new OrderServer(await FakeNeighbour.open());
  }

  get url(): string {
    return this.neighbour.url;
  }

  get heard(): FakeNeighbour['heard'] {
    return this.neighbour.heard;
  }

  close(): Promise<void> {
    return this.neighbour.close();
  }

  /** A confirmed order of two cups for 40.00 less 4.00, and a book for 6.00, unless something else is said. */
  add({ tenant = 'acme', ...changed }: Partial<OrderJson> & { tenant?: string } = {}): OrderJson {
    const order = {
      id: randomUUID(),
      status: 'confirmed',
      items: [
        { sku: 'cup', quantity: 2, unitPrice: EUR(2_000), discount: EUR(400) },
        { sku: 'book-of-cups', quantity: 1, unitPrice: EUR(600) },
      ],
      total: EUR(4_200),
      placedBy: 'carl',
      ...changed,
    };
    this.orders.set(order.id, { ...order, tenant });
    return order;
  }

  private answer(...[response, request]: Parameters<Way>): void {
    if (this.fails) return this.fails(response, request);
    const { searchParams } = new URL(request.url ?? '', this.url);
    const found = (searchParams.get('ids') ?? '').split(',').flatMap((id) => this.orders.get(id) ?? []);
    const items = found.filter(({ tenant }) => tenant === request.headers['shop-tenant']);
    answersWith(200, { items, next: null })(response, request);
  }
}
