/**
 * What is done about one delivery whose time has come: it is handed over, or the carrier is asked how far it is.
 *
 * The row says `handing_over` before the carrier is asked. What may be a repeat is looked up first, because the carrier may
 * have forgotten the key of the first request. No call is made inside a transaction.
 */
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '@shop/postgres';
import { CircuitOpenError, NoTurnError, RetryableError } from '@shop/resilience';
import { type Carrier, CARRIER, NotTakenError, type Shipment } from './carrier';
import { lockDelivery } from './deliveries.repository';
import { type DeliveryService, isStray } from './delivery';
import { type Found, MovingDeliveries } from './moving-deliveries';
import { Recipients } from './recipients';
import { holdsLease, type TakenDelivery } from './taking-deliveries';

/** Thrown when nothing could be asked of the carrier, so it has nothing of this attempt. */
export class NotAskedError extends RetryableError {}

@Injectable()
export class WorkingOnDeliveries {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(CARRIER) private readonly carrier: Carrier,
    @Inject(Recipients) private readonly recipients: Pick<Recipients, 'read'>,
    @Inject(MovingDeliveries) private readonly moving: MovingDeliveries,
  ) {}

  /** @throws RetryableError when the carrier or the order service does not answer */
  async workOn(taken: TakenDelivery): Promise<void> {
    const found = taken.status === 'handing_over' ? await this.handOver(taken) : await this.lookAt(taken);
    await this.record(taken, found);
  }

  private async handOver(taken: TakenDelivery): Promise<Found> {
    const { tenant, id, askedBefore, customerId, lines } = taken;
    const known = askedBefore ? await this.carrier.find(id, tenant) : undefined;
    if (known) return seen(known);
    const recipient = await this.recipients.read(tenant, customerId).catch(notAsked);
    const service: DeliveryService = recipient ? 'home' : 'pick-up';
    try {
      return { ...seen(await this.carrier.handOver({ reference: id, service, recipient, lines }, tenant)), service };
    } catch (error) {
      if (error instanceof NoTurnError || error instanceof CircuitOpenError) notAsked(error);
      if (!(error instanceof NotTakenError)) throw error;
      // An earlier try of the same call may have been taken.
      const taken = await this.carrier.find(id, tenant);
      return taken ? { ...seen(taken), service } : { finding: { kind: 'refused' }, error: error.code };
    }
  }

  private async lookAt(taken: TakenDelivery): Promise<Found> {
    const { tenant, id } = taken;
    const shipment = await this.carrier.find(id, tenant);
    if (!shipment) return { finding: { kind: 'absent' } };
    return isStray(taken, shipment.status) ? bringBack(this.carrier, shipment, tenant) : seen(shipment);
  }

  private record(taken: TakenDelivery, found: Found): Promise<void> {
    return this.database.transaction(async (tx) => {
      const known = await lockDelivery(tx, taken);
      const isOurs = await holdsLease(tx, taken);
      // What the carrier shows is true whoever has seen it. All else may be old behind the end of the lease.
      if (!known || (!isOurs && !found.shipment)) return;
      this.moving.apply(tx, known, { ...found, endsLease: isOurs });
    });
  }
}

function notAsked(error: Error): never {
  const { retryAfterMs } = error as { retryAfterMs?: number };
  throw new NotAskedError(error.message, { cause: error, retryAfterMs });
}

/** Asks the carrier to bring a shipment back, if it has not been brought back or delivered. */
export async function bringBack(carrier: Carrier, shipment: Shipment, turn: string): Promise<Found> {
  if (shipment.status === 'recalled') return seen(shipment);
  if (shipment.status === 'delivered') return kept(shipment);
  const recall = await carrier.recall(shipment, turn);
  return recall.outcome === 'kept' ? kept(recall.shipment) : seen({ ...recall.shipment, status: 'recalled' });
}

export const seen = (shipment: Shipment): Found => ({ finding: { kind: 'seen', status: shipment.status }, shipment });

const kept = (shipment: Shipment): Found => ({ finding: { kind: 'kept', status: shipment.status }, shipment });
