/** How far orders are on their way to their customers, for those who change their minds at a certain moment. */
import { deliveryIdOf } from '@shop/fulfilment/testing';
import type { SimulatedCarrier } from './simulated-carrier';
import type { Stage } from './stage';
import type { Sent } from './witness';

/** In their order. The carrier is asked for the third, and has the parcel from the fourth on. */
export const PROGRESS = ['placed', 'confirmed', 'in the handing over', 'on its way', 'delivered'] as const;
export type Progress = (typeof PROGRESS)[number];

export interface Ranked {
  id?: string;
  order_id?: string;
  template?: string;
}

interface Whereabouts {
  stage: Stage;
  carrier: SimulatedCarrier;
  tenant: string;
}

export class Progresses {
  private readonly confirmed = new Set<string>();
  /** The numbers of the orders, by their ids and those of their deliveries: ids are in another order in each run. */
  private readonly numbers = new Map<string, number>();

  constructor(private readonly where: Whereabouts) {}

  /** A transaction of the order service is committed. */
  sees(sent: readonly Sent[]): void {
    for (const { name, values } of sent) {
      if (name !== 'orders.update-status' && name !== 'orders.insert') continue;
      const [rows] = JSON.parse(values) as [string];
      for (const { id, status } of JSON.parse(rows) as { id: string; status?: string }[]) {
        if (status === 'confirmed') this.confirmed.add(id);
        if (status === undefined) this.count(id);
      }
    }
  }

  /** By what rows are sorted that PostgreSQL returns in any order: the oldest order, or else the oldest id, comes first. */
  rankOf({ id = '', order_id = id, template = '' }: Ranked): string {
    const number = this.numbers.get(order_id);
    return number === undefined ? id : `${String(number).padStart(3, '0')} ${template} ${id}`;
  }

  private count(orderId: string): void {
    const number = this.numbers.size;
    this.numbers.set(orderId, number);
    this.numbers.set(deliveryIdOf({ tenant: this.where.tenant, orderId }), number);
  }

  isAsFarAs(moment: Progress, orderId: string): boolean {
    return PROGRESS.indexOf(this.of(orderId)) >= PROGRESS.indexOf(moment);
  }

  private of(orderId: string): Progress {
    const { stage, carrier, tenant } = this.where;
    const reference = deliveryIdOf({ tenant, orderId });
    const shipment = carrier.shipments.find((one) => one.reference === reference);
    if (shipment) return shipment.status === 'delivered' ? 'delivered' : 'on its way';
    if (stage.gates.some(({ port, what }) => port === 'carrier' && what.includes(reference)))
      return 'in the handing over';
    return this.confirmed.has(orderId) ? 'confirmed' : 'placed';
  }
}
