/** How many pieces each customer has of the SKUs of which one may have only so many. */

export interface Holding {
  tenant: string;
  sku: string;
  customer: string;
  quantity: number;
}

type HoldingKey = Omit<Holding, 'quantity'>;

export class Holdings {
  private readonly held: Map<string, number>;
  /** By how much each holding has changed in this batch. */
  private readonly differences = new Map<string, Holding>();

  constructor(rows: readonly Holding[]) {
    this.held = new Map(rows.map((row) => [keyOf(row), row.quantity]));
  }

  of(key: HoldingKey): number {
    return this.held.get(keyOf(key)) ?? 0;
  }

  add({ quantity, ...key }: Holding): void {
    this.held.set(keyOf(key), this.of(key) + quantity);
    const before = this.differences.get(keyOf(key))?.quantity ?? 0;
    this.differences.set(keyOf(key), { ...key, quantity: before + quantity });
  }

  get changes(): Holding[] {
    return [...this.differences.values()].filter(({ quantity }) => quantity !== 0);
  }
}

const keyOf = ({ tenant, sku, customer }: HoldingKey): string => `${tenant}\n${sku}\n${customer}`;
