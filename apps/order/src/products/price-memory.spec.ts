/** Which prices are remembered, and for how long. */
import { PriceMemory } from './price-memory';
import { type Money, priceKey } from './product';

const eur = (amount: number): Money => ({ amount, currency: 'EUR' });
const of = (sku: string, tenant = 'acme') => ({ tenant, sku });
const found = (prices: Record<string, number>, tenant = 'acme') =>
  new Map(Object.entries(prices).map(([sku, amount]) => [priceKey(tenant, sku), eur(amount)]));

function memoryOf(prices: Record<string, number>, max?: number): PriceMemory {
  const memory = new PriceMemory(max);
  memory.replace(
    Object.keys(prices).map((sku) => of(sku)),
    found(prices),
  );
  return memory;
}

describe('R35 the memory of prices', () => {
  it('recalls what is wanted, and nothing besides', () => {
    expect(memoryOf({ cup: 1, pot: 2, tea: 3 }).recall([of('pot'), of('cup')])).toEqual(found({ cup: 1, pot: 2 }));
  });

  it('recalls nothing when one price is missing, so that a product is never taken for unknown', () => {
    const memory = memoryOf({ cup: 1 });
    expect(memory.recall([of('cup'), of('hat')])).toBeUndefined();
    expect(memory.recall([of('hat')])).toBeUndefined();
  });

  it('takes the price that was read last', () => {
    const memory = memoryOf({ cup: 1, pot: 2 });
    memory.replace([of('cup')], found({ cup: 5 }));
    expect(memory.recall([of('cup'), of('pot')])).toEqual(found({ cup: 5, pot: 2 }));
  });

  it('forgets what was read and not found, and leaves what was not read', () => {
    const memory = memoryOf({ cup: 1, pot: 2 });
    memory.replace([of('cup')], new Map());
    expect(memory.recall([of('cup')])).toBeUndefined();
    expect(memory.recall([of('pot')])).toEqual(found({ pot: 2 }));
  });

  it('R54 keeps tenants apart', () => {
    const memory = memoryOf({ cup: 1 });
    expect(memory.recall([of('cup', 'rival')])).toBeUndefined();
    memory.replace([of('cup', 'rival')], found({ cup: 9 }, 'rival'));
    expect(memory.recall([of('cup')])).toEqual(found({ cup: 1 }));
  });

  it('R45 keeps so many and no more: the one that was longest not asked for goes first', () => {
    const memory = memoryOf({ cup: 1, pot: 2, tea: 3 }, 3);
    memory.recall([of('cup')]);
    memory.replace([of('hat')], found({ hat: 4 }));
    const kept = ['cup', 'pot', 'tea', 'hat'].filter((sku) => memory.recall([of(sku)]));
    expect(kept).toEqual(['cup', 'tea', 'hat']);
  });

  it('R45 keeps within its limit what is read at once', () => {
    const memory = memoryOf({ cup: 1, pot: 2, tea: 3 }, 2);
    const kept = ['cup', 'pot', 'tea'].filter((sku) => memory.recall([of(sku)]));
    expect(kept).toEqual(['pot', 'tea']);
  });
});
