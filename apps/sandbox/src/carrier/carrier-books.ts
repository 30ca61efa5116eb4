/** The carrier's books: every parcel that it has taken, and which request each idempotency key belongs to. */
import { randomBytes } from 'node:crypto';
import type { Journal } from '../stripe/journal';
import { moved, type Shipment, type ShipmentStatus, trackingNumberOf } from './shipment';
import type { ShipmentRequest } from './shipment-request';

/** A line of the journal: a parcel as it is from now on, and the key of the request that it was taken by. */
export type CarrierEntry = { shipment: Shipment; key?: string; fingerprint?: string } | { forgetsKeys: true };

export type Taken =
  | { outcome: 'taken' | 'repeated'; shipment: Shipment }
  /** The key belongs to another request, or the reference to another key. */
  | { outcome: 'key_reused' | 'reference_taken' };

export interface CarrierWorld {
  nowMs: () => number;
  newId: () => string;
}

const ID_BYTES = 12;
const realWorld: CarrierWorld = {
  nowMs: () => performance.timeOrigin + performance.now(),
  newId: () => `shp_${randomBytes(ID_BYTES).toString('hex')}`,
};

export class CarrierBooks {
  private readonly shipments = new Map<string, Shipment>();
  private readonly byReference = new Map<string, string>();
  private readonly byKey = new Map<string, { id: string; fingerprint: string }>();
  private readonly listeners: ((shipment: Shipment) => void)[] = [];

  constructor(
    private readonly journal: Journal<CarrierEntry>,
    readonly world: CarrierWorld = realWorld,
  ) {
    for (const entry of journal.entries) this.apply(entry);
  }

  /** Called for each parcel that is taken, and for each that has come to a new state. */
  onChange(listener: (shipment: Shipment) => void): void {
    this.listeners.push(listener);
  }

  take(request: ShipmentRequest, key?: string): Taken {
    const fingerprint = JSON.stringify(request);
    const known = key === undefined ? undefined : this.byKey.get(key);
    if (known && known.fingerprint !== fingerprint) return { outcome: 'key_reused' };
    if (known) return { outcome: 'repeated', shipment: this.shipments.get(known.id)! };
    if (this.byReference.has(request.reference)) return { outcome: 'reference_taken' };
    const { reference, service, recipient, lines } = request;
    const shipment: Shipment = {
      id: this.world.newId(),
      reference,
      service,
      recipient,
      lines,
      status: 'accepted',
      trackingNumber: trackingNumberOf(this.shipments.size + 1),
      atMs: this.world.nowMs(),
    };
    this.keep({ shipment, ...(key !== undefined && { key, fingerprint }) });
    return { outcome: 'taken', shipment };
  }

  /** Undefined when that cannot happen to it any more. */
  move(id: string, status: Exclude<ShipmentStatus, 'accepted'>): Shipment | undefined {
    const shipment = this.shipments.get(id)!;
    const next = moved(shipment, status);
    if (next && next !== shipment) this.keep({ shipment: next });
    return next;
  }

  find(id: string): Shipment | undefined {
    return this.shipments.get(id);
  }

  findReference(reference: string): Shipment | undefined {
    return this.shipments.get(this.byReference.get(reference) ?? '');
  }

  /** Oldest first. */
  all(): Shipment[] {
    return [...this.shipments.values()];
  }

  forgetKeys(): void {
    this.append({ forgetsKeys: true });
  }

  clear(): void {
    this.journal.clear();
    for (const map of [this.shipments, this.byReference, this.byKey]) map.clear();
  }

  private keep(entry: CarrierEntry & { shipment: Shipment }): void {
    this.append(entry);
    for (const listener of this.listeners) listener(entry.shipment);
  }

  private append(entry: CarrierEntry): void {
    this.journal.append(entry);
    this.apply(entry);
  }

  private apply(entry: CarrierEntry): void {
    if ('forgetsKeys' in entry) return this.byKey.clear();
    const { shipment, key, fingerprint } = entry;
    this.shipments.set(shipment.id, shipment);
    this.byReference.set(shipment.reference, shipment.id);
    if (key !== undefined) this.byKey.set(key, { id: shipment.id, fingerprint: fingerprint! });
  }
}
