/** The reservation of a client: asked for like an order, and perhaps given back. */
import { randomUUID } from 'node:crypto';
import { type Claim, fingerprintOf } from '@shop/idempotency';
import { claimOfReservation, type WholeInventory } from '@shop/inventory/testing';
import { Asking } from './asking';
import type { Calls } from './calls';
import type { Purchase } from './script';
import type { Process, Stage } from './stage';

const MOST_RETURNS = 2;

export class Reserver {
  readonly request: Asking;
  /** As soon as the client knows it. */
  id?: string;
  /** A DELETE was answered with 204. */
  isGivenBack = false;
  private returns = 0;
  /** The id that the client chose. */
  private readonly ownId?: string;
  private readonly body: { lines: Purchase['items']; ttlSeconds: number; customerId: string };
  private readonly claim: Claim;

  constructor(
    stage: Stage,
    private readonly calls: Calls,
    private readonly tenant: string,
    private readonly purchase: Purchase,
  ) {
    const { name, customer, items, reserves } = purchase;
    const { seconds, namesIt, twist } = reserves!;
    const more = twist === 'orders other pieces' ? 1 : 0;
    const lines = items.map(({ sku, quantity }, index) => ({ sku, quantity: quantity + (index === 0 ? more : 0) }));
    this.body = { lines, ttlSeconds: seconds, customerId: customer };
    this.ownId = namesIt ? randomUUID() : undefined;
    this.id = this.ownId;
    this.claim = this.ownId
      ? claimOfReservation(tenant, this.ownId, this.body)
      : { scope: `${tenant}|${name}|POST /reservations`, key: name, fingerprint: fingerprintOf(this.body) };
    this.request = new Asking(stage, calls, 'reservation', ({ id }) => (this.id = id));
  }

  get mayGiveBack(): boolean {
    return this.purchase.reserves!.twist === 'gives it back' && this.id !== undefined && this.returns < MOST_RETURNS;
  }

  ask({ process, inventory }: { process: Process; inventory: WholeInventory }): void {
    const caller = { tenant: this.tenant, principal: this.purchase.name, roles: ['customer'] } as never;
    const { claim, body, ownId: id } = this;
    this.request.ask(process, () => inventory.reservations.reserve({ claim, caller, body, id }));
  }

  giveBack({ process, inventory }: { process: Process; inventory: WholeInventory }): void {
    this.returns++;
    const key = { tenant: this.tenant, id: this.id!, placedBy: this.purchase.name };
    const release = () => inventory.reservations.release(key, () => undefined).then(() => true);
    void this.calls.make(process, 'giving back', release).then((done) => (this.isGivenBack ||= done === true));
  }
}
