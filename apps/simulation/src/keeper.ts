/** Whoever manages the stock: books each arrival of pieces once, and asks until this is answered. */
import { type Claim, fingerprintOf } from '@shop/idempotency';
import type { WholeInventory } from '@shop/inventory/testing';
import { Asking } from './asking';
import { Calls } from './calls';
import type { Arrival } from './shop';
import type { Process, Stage } from './stage';

export class Keeper {
  readonly calls: Calls;
  readonly request: Asking;
  private readonly claim: Claim;
  private readonly body: { delta: number; reason: string };

  constructor(
    stage: Stage,
    private readonly tenant: string,
    readonly arrival: Arrival,
  ) {
    const { name, sku, quantity, place } = arrival;
    this.calls = new Calls(stage, name);
    this.body = { delta: quantity, reason: 'arrived' };
    const fingerprint = fingerprintOf({ ...this.body, location: place });
    this.claim = { scope: `${tenant}|keeper|POST /stock/${sku}/adjustments`, key: name, fingerprint };
    this.request = new Asking(stage, this.calls, 'adjustment');
  }

  get text(): string {
    const { quantity, sku, place } = this.arrival;
    return place ? `${quantity} of ${sku} for ${place}` : `${quantity} of ${sku}`;
  }

  ask({ process, inventory }: { process: Process; inventory: WholeInventory }): void {
    const { tenant, claim, arrival } = this;
    const { sku, place } = arrival;
    const { delta, reason } = this.body;
    this.request.ask(process, () => inventory.stock.adjust({ tenant, sku, delta, reason, place, claim }));
  }
}
