/** The carrier behind a bad connection, with parcels that go on when they like. It takes each reference once, as it says. */
import { type Carrier, type CarrierEvent, NotTakenError, type Parcel, type Shipment } from '@shop/fulfilment/testing';
import { TerminalError } from '@shop/resilience';
import { Outside } from './outside';
import type { Process, Stage } from './stage';

const NEXT: Partial<Record<Shipment['status'], Shipment['status']>> = {
  accepted: 'in_transit',
  in_transit: 'delivered',
};

export class SimulatedCarrier {
  readonly shipments: Shipment[] = [];
  /** Each of these messages may come at any time, more than once, or never. */
  readonly news: CarrierEvent[] = [];
  /** References that were refused: a person has to look at them. */
  readonly refused = new Set<string>();
  /** References of what came in when somebody was told already that there is nothing. */
  readonly late = new Set<string>();
  private readonly missed = new Set<string>();
  private told = 0;
  private readonly outside: Outside;

  constructor(
    stage: Stage,
    private readonly ways: { recallsOnTheWay: boolean; forgets?: boolean },
  ) {
    this.outside = new Outside(stage, 'carrier');
  }

  /** The carrier as one process reaches it. */
  reachedFrom(process: Process): Carrier {
    const call = <T>(what: string, work: () => T, onRefused?: () => void) =>
      this.outside.call(process, { what, work: async () => structuredClone(work()), onRefused });
    return {
      handOver: (parcel) => {
        const { reference } = parcel;
        const taken = call(
          `parcel of ${reference}`,
          () => this.take(parcel),
          () => this.refused.add(reference),
        );
        return taken.catch((error: Error) => {
          throw error instanceof TerminalError ? new NotTakenError('too_heavy') : error;
        });
      },
      find: (reference) => call(`look for ${reference}`, () => this.lookFor(reference)),
      recall: ({ id, reference }) => call(`recall of ${reference}`, () => this.recall(id)),
    };
  }

  /** Those that may go on. */
  get underWay(): Shipment[] {
    return this.shipments.filter(({ status }) => NEXT[status] !== undefined);
  }

  forget(event: CarrierEvent): void {
    this.news.splice(this.news.indexOf(event), 1);
  }

  goOn(shipment: Shipment): void {
    shipment.status = NEXT[shipment.status]!;
    this.tell(shipment);
  }

  private take({ reference }: Parcel): Shipment {
    const known = this.find(reference);
    if (known && !this.ways.forgets) return known;
    const number = this.shipments.length + 1;
    const shipment: Shipment = { id: `shp_${number}`, reference, status: 'accepted', trackingNumber: `TRACK${number}` };
    this.shipments.push(shipment);
    if (this.missed.has(reference)) this.late.add(reference);
    this.tell(shipment);
    return shipment;
  }

  private lookFor(reference: string): Shipment | undefined {
    const found = this.find(reference);
    if (!found) this.missed.add(reference);
    return found;
  }

  private find(reference: string): Shipment | undefined {
    return this.shipments.find((one) => one.reference === reference);
  }

  private recall(id: string): { outcome: 'recalled' | 'kept'; shipment: Shipment } {
    const shipment = this.shipments.find((one) => one.id === id)!;
    const { status } = shipment;
    if (status === 'delivered' || (status === 'in_transit' && !this.ways.recallsOnTheWay))
      return { outcome: 'kept', shipment };
    if (status !== 'recalled') {
      shipment.status = 'recalled';
      this.tell(shipment);
    }
    return { outcome: 'recalled', shipment };
  }

  private tell(shipment: Shipment): void {
    const { reference, status } = shipment;
    this.news.push({ id: `${reference}/${++this.told}`, type: `shipment.${status}`, shipment: { ...shipment } });
  }
}
