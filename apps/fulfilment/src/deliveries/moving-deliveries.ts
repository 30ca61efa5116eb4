/** Writes what has become known about a delivery, together with what others hear of it: events, and the customer's mail. */
import { Inject, Injectable } from '@nestjs/common';
import { DeliveryDelivered, DeliveryHandedOver } from '@shop/contracts';
import { appendEvents, newEvent, OutboxRelay } from '@shop/messaging';
import { counter, currentSpan, type Logger } from '@shop/observability';
import type { Tx } from '@shop/postgres';
import { LOGGER } from '@shop/service';
import { queueNotifications } from '../notifications/queue';
import type { Shipment } from './carrier';
import { type DeliveryService, type Finding, isStray, move, type Move, type Told } from './delivery';
import { type KnownDelivery, saveMove } from './deliveries.repository';

export interface Found {
  finding: Finding;
  shipment?: Shipment;
  service?: DeliveryService;
  /** The code of a refusal. */
  error?: string;
  /** The worker's lease ends with it, also if nothing moves. */
  endsLease?: boolean;
}

export const DELIVERY_LIMITS = Symbol('DELIVERY_LIMITS');
export interface DeliveryLimits {
  /** How long a delivery that is on its way is left alone before the carrier is asked about it. */
  checkSeconds: number;
}

const moves = counter('delivery_moves_total', 'Deliveries that have come to a new state', ['to']);
const alarms = counter('delivery_alarms_total', 'Deliveries that a person has to look at', ['reason']);

@Injectable()
export class MovingDeliveries {
  constructor(
    @Inject(OutboxRelay) private readonly relay: Pick<OutboxRelay, 'wake'>,
    @Inject(DELIVERY_LIMITS) private readonly limits: DeliveryLimits,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param known the delivery, which is locked in this transaction */
  apply(tx: Tx, known: KnownDelivery, { finding, shipment, service, error, endsLease = false }: Found): Move {
    const made = move(known, finding);
    const { standing, tells, alarm } = made;
    const isMoved = standing.status !== known.status || standing.stopWanted !== known.stopWanted;
    const isNamed = shipment?.trackingNumber !== undefined && known.trackingNumber === null;
    // A request to take it has arrived behind its stop: the worker brings it back.
    const looksNow = finding.kind === 'seen' && isStray(standing, finding.status);
    if (isMoved || isNamed || endsLease || looksNow || alarm) {
      const { checkSeconds } = this.limits;
      const asked = standing.asked || shipment !== undefined;
      const more = { shipment, service, error: error ?? alarm, checkSeconds, looksNow };
      saveMove(tx, { ...known, standing: { ...standing, asked }, ...more });
    }
    const trackingNumber = shipment?.trackingNumber ?? known.trackingNumber ?? undefined;
    this.tell(tx, known, tells, trackingNumber);
    if (isMoved || alarm) tx.afterCommit(() => this.say(known, made, error));
    return made;
  }

  private tell(tx: Tx, known: KnownDelivery, tells: readonly Told[], trackingNumber: string | undefined): void {
    if (tells.length === 0) return;
    const { tenant, orderId, id: deliveryId, customerId } = known;
    const about = { tenant, orderId, deliveryId };
    const events = tells.map((told) => {
      const envelope = { id: `${deliveryId}/${told}`, subject: deliveryId };
      return told === 'delivered'
        ? newEvent(DeliveryDelivered, { ...envelope, data: about })
        : newEvent(DeliveryHandedOver, { ...envelope, data: { ...about, trackingNumber } });
    });
    appendEvents(tx, events);
    if (tells.includes('delivered') && customerId !== null) {
      const data = { trackingNumber };
      const trace = currentSpan()?.traceparent;
      const about = { tenant, customerId, orderId };
      queueNotifications(tx, [{ ...about, template: 'order-delivered', cause: orderId, data, trace }]);
    }
    tx.afterCommit(() => this.relay.wake());
  }

  private say(
    { orderId, id: deliveryId, status: from }: KnownDelivery,
    { standing, alarm }: Move,
    reason?: string,
  ): void {
    const ids = { deliveryId, orderId };
    const { status } = standing;
    if (status !== from) {
      moves.inc({ to: status });
      const line = { ...ids, from, reason };
      if (status === 'parked') this.logger.error(line, 'delivery.parked');
      else this.logger.info(line, `delivery.${status}`);
    }
    if (!alarm) return;
    alarms.inc({ reason: alarm });
    this.logger.error({ ...ids, reason: alarm }, 'delivery.alarm');
  }
}
