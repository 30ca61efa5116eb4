/**
 * One replica of the fulfilment service without Nest, HTTP and broker: its decisions and handlers, on the ports of the
 * caller.
 */
import { Idempotency, type Ledger } from '@shop/idempotency';
import type { Logger } from '@shop/observability';
import { Listener, Participant } from '@shop/participant';
import type { Database } from '@shop/postgres';
import type { Neighbour as WholeNeighbour } from '@shop/service';
import type { Carrier } from '../src/deliveries/carrier';
import type { CarrierEvent } from '../src/deliveries/carrier-event';
import { DeliveryCommands } from '../src/deliveries/delivery-commands';
import { DeliveryWorker } from '../src/deliveries/delivery-worker';
import { MovingDeliveries } from '../src/deliveries/moving-deliveries';
import { ReceiveCarrierEvent } from '../src/deliveries/receive-carrier-event';
import { Recipients } from '../src/deliveries/recipients';
import { WorkingOnDeliveries } from '../src/deliveries/working-on-deliveries';
import type { Mailer as WholeMailer } from '../src/notifications/mailer';
import { NotificationSender } from '../src/notifications/notification-sender';
import { ProfiledRecipients } from '../src/notifications/recipients';
import { FollowUp } from '../src/orders/follow-up';
import { OrderEvents } from '../src/orders/order-events';

export type Neighbour = Pick<WholeNeighbour, 'read'>;
export type Mailer = Pick<WholeMailer, 'send' | 'domain'>;

export interface FulfilmentPorts {
  database: Database;
  ledger: Ledger;
  logger: Logger;
  /** The order service. */
  order: Neighbour;
  carrier: Carrier;
  mailer: Mailer;
  isAtMostOnce?: boolean;
  /** Is woken when there are events to publish. */
  relay: { wake: () => void };
  /** Called when there is something to look for. */
  onWork: () => void;
}

export type FulfilmentReplica = ReturnType<typeof openFulfilmentReplica>;

const LEASE_MS = 9_000;
/** Rates are for machines that are busy. */
const UNBOUNDED = 1_000_000;
/** So long a parcel on its way is left alone. */
const CHECK_SECONDS = 3_600;

/** Nothing is started: the caller decides when it looks, and nothing happens by the clock of the machine. */
export function openFulfilmentReplica(ports: FulfilmentPorts) {
  const { database, ledger, logger, order, carrier, mailer, isAtMostOnce, relay, onWork } = ports;
  const idempotency = new Idempotency(database, ledger, { leaseMs: LEASE_MS, heartbeat: false });
  const moving = new MovingDeliveries(relay, { checkSeconds: CHECK_SECONDS }, logger);
  const working = new WorkingOnDeliveries(database, carrier, new Recipients(order), moving);
  const worker = new DeliveryWorker({ database, logger, workOn: (taken) => working.workOn(taken) });
  // The signature is checked at the door.
  const webhooks = new ReceiveCarrierEvent(undefined as never, idempotency, moving, logger);
  const followUp = new FollowUp(database, order, logger, onWork);
  const events = new OrderEvents({ wake: onWork });
  const recipients = new ProfiledRecipients(order);
  const mode = isAtMostOnce ? 'at-most-once' : 'at-least-once';
  const sender = new NotificationSender({ database, recipients, mailer, mode, perSecond: UNBOUNDED, logger });
  return {
    commands: new Participant('fulfilment', database, idempotency, new DeliveryCommands(database, carrier, moving)),
    /** Hears what order and payment tell. */
    events: new Listener('fulfilment', database, idempotency, events),
    /** As a webhook of the carrier does. */
    hearOf: (event: CarrierEvent) => webhooks['write'](event),
    /** These three look once for what is due, and may go on with it when they resolve. */
    followUp: () => followUp.seeToDue(),
    deliver: () => worker['look'](),
    send: () => sender['sendDue'](),
  };
}
