/** Products and stock to start with. */
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
