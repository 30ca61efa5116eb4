/** Products, stock, a promotion and a bundle to start with. */
import type { ApiClient } from './api-client';

export interface SeedProduct {
  sku: string;
  name: string;
  price: number;
  onHand: number;
}

export const catalogue: readonly SeedProduct[] = [
  { sku: 'cup', name: 'Espresso cup', price: 1_200, onHand: 1_000 },
  { sku: 'beans', name: 'Coffee beans, 1 kg', price: 2_450, onHand: 500 },
  { sku: 'grinder', name: 'Hand grinder', price: 8_900, onHand: 25 },
  { sku: 'unicorn', name: 'Unicorn (sold out)', price: 99_900, onHand: 0 },
];

/** A repeat changes nothing: PUT converges, and existing stock stays as it is. */
export async function seed(
  order: ApiClient,
  inventory: ApiClient,
  products: readonly SeedProduct[] = catalogue,
): Promise<void> {
  for (const { sku, name, price, onHand } of products) {
    const product = await order.put(`/products/${sku}`, { name, unitPrice: { amount: price, currency: 'EUR' } });
    if (product.status > 201) throw new Error(`the product ${sku} cannot be made: ${product.text}`);
    const stock = await inventory.put(`/stock/${sku}`, { onHand }, { 'if-none-match': '*' });
    if (stock.status > 201 && stock.status !== 412)
      throw new Error(`the stock of ${sku} cannot be made: ${stock.text}`);
  }
}

/** Ten per cent off the list price. */
export const WELCOME = 'WELCOME-10';
/** Sold as one thing, and held as its parts. */
export const BUNDLE = { sku: 'breakfast', name: 'Two cups and a kilo of beans', price: 4_500 };
export const PARTS = [
  { sku: 'cup', quantity: 2 },
  { sku: 'beans', quantity: 1 },
];

/** The customer of the examples: mails go to her. */
export const ALICE = { id: 'alice', email: 'alice@example.com' };

/** What is offered beside the catalogue, and who asks for it. It may be repeated, too. */
export async function seedOffers(order: ApiClient, inventory: ApiClient): Promise<void> {
  const { sku, name, price } = BUNDLE;
  const answers = [
    await order.put(`/promotions/${WELCOME}`, { kind: 'percent', percent: 10 }),
    await order.put(`/products/${sku}`, { name, unitPrice: { amount: price, currency: 'EUR' } }),
    await inventory.put(`/bundles/${sku}`, { components: PARTS }),
    await order.put(`/profiles/${ALICE.id}`, { displayName: 'Alice', email: ALICE.email, locale: 'en' }),
  ];
  const refused = answers.find(({ status }) => status > 201);
  if (refused) throw new Error(`an offer cannot be made: ${refused.text}`);
}
