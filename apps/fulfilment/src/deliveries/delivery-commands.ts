/**
 * The command on deliveries: stop the one of an order.
 *
 * As long as the carrier was not asked, the stop is a change of the row. Behind that, the carrier has to say what it has, and
 * to bring it back: leased work under the id of the command. Nobody hands the delivery over any more meanwhile.
 */
import { Inject, Injectable } from '@nestjs/common';
import { StopDelivery, type StopDeliveryBody } from '@shop/contracts';
import type { Done, LeasedWork } from '@shop/idempotency';
import type { Reply } from '@shop/messaging';
import { answerOf, type Command, type CommandSet, type Decision, on, refused, succeeded } from '@shop/participant';
import { Database, isUniqueViolation, type Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { type Carrier, CARRIER } from './carrier';
import {
  DELIVERY_PRIMARY_KEY,
  type KnownDelivery,
  lockDeliveries,
  lockDelivery,
  recordStops,
  saveStops,
} from './deliveries.repository';
import { decideStop, deliveryIdOf, type DeliveryKey, type DeliveryStatus, type Standing } from './delivery';
import { type Found, MovingDeliveries } from './moving-deliveries';
import { bringBack } from './working-on-deliveries';

/** The deliveries of the commands of a batch, by their ids, and what the batch has made of them. */
interface Deliveries {
  known: Map<string, DeliveryKey & Standing>;
  recorded: (DeliveryKey & { orderId: string })[];
  stopped: (DeliveryKey & Standing)[];
}

const STOP = 'stop-delivery';
/** Whoever is asking the carrier ends within its lease, and mostly much sooner. */
const ASKED_AGAIN_MS = 1_000;

@Injectable()
export class DeliveryCommands implements CommandSet<Deliveries> {
  readonly handlers = [on(StopDelivery, stop)];
  readonly calls = {
    [STOP]: (work: LeasedWork, key: DeliveryKey) => this.bringBack(work, key),
  };

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(CARRIER) private readonly carrier: Carrier,
    @Inject(MovingDeliveries) private readonly moving: MovingDeliveries,
  ) {}

  async load(tx: Tx, commands: readonly Command[]): Promise<Deliveries> {
    const known = await lockDeliveries(tx, commands.map(keyOf));
    return { known: new Map(known.map((delivery) => [delivery.id, delivery])), recorded: [], stopped: [] };
  }

  save(tx: Tx, { recorded, stopped }: Deliveries): void {
    recordStops(tx, recorded);
    saveStops(tx, stopped);
  }

  /** The order was confirmed between the look at the row and its stop: the next attempt sees the row. */
  retryOn(error: unknown): boolean {
    return isUniqueViolation(error, DELIVERY_PRIMARY_KEY);
  }

  private async bringBack(work: LeasedWork, key: DeliveryKey): Promise<Done> {
    const { id } = key;
    const status = await work.call(
      'answered',
      () => this.ask(key),
      async (tx, { before, ...found }) => {
        const known = await lockDelivery(tx, key);
        if (!known) return 'stopped';
        // Somebody has shown meanwhile that the carrier has it.
        if (found.finding.kind === 'absent' && known.status !== before) {
          throw new RetryableError(`${id} has moved while the carrier was asked`, { retryAfterMs: ASKED_AGAIN_MS });
        }
        return this.moving.apply(tx, known, found).standing.status;
      },
    );
    return work.finish(() => answerOf(replyOf(id, status)));
  }

  /** Asks the carrier when nobody hands the delivery over any more. `before`: where it stood then. */
  private async ask(key: DeliveryKey): Promise<Found & { before?: DeliveryStatus }> {
    const { tenant, id } = key;
    const known = await this.database.transaction((tx) => lockDelivery(tx, key));
    if (known?.isLeased) throw new RetryableError(`${id} is being handed over`, { retryAfterMs: ASKED_AGAIN_MS });
    const shipment = await this.carrier.find(id, tenant);
    const found: Found = shipment ? await bringBack(this.carrier, shipment, tenant) : { finding: { kind: 'absent' } };
    return { ...found, before: known?.status };
  }
}

function stop({ known, recorded, stopped }: Deliveries, { body }: Command<StopDeliveryBody>): Decision {
  const { tenant, orderId } = body;
  const id = deliveryIdOf(body);
  const standing = known.get(id);
  const change = (changed: Standing) => {
    known.set(id, { tenant, id, ...changed });
    if (standing) stopped.push({ tenant, id, ...changed });
    else recorded.push({ tenant, id, orderId });
  };
  switch (decideStop(standing)) {
    case 'record':
      change({ status: 'stopped', asked: false, stopWanted: false });
      return succeeded({ result: 'never_begun', deliveryId: id });
    case 'stopped':
      change({ status: 'stopped', asked: false, stopWanted: false });
      return succeeded({ result: 'stopped', deliveryId: id });
    case 'nothing-to-stop':
    case 'already-shipped':
      return replyOf(id, standing!.status);
    case 'ask-carrier':
      change({ ...standing!, stopWanted: true });
      return { leased: STOP, input: { tenant, id } satisfies DeliveryKey };
  }
}

function replyOf(deliveryId: string, status: DeliveryStatus): Reply {
  const isOver = status === 'stopped' || status === 'recalled' || status === 'elsewhere';
  return isOver ? succeeded({ result: status, deliveryId }) : refused('already_shipped');
}

const keyOf = ({ body }: Command): KeyOfDelivery => {
  const { tenant, orderId } = body as StopDeliveryBody;
  return { tenant, id: deliveryIdOf({ tenant, orderId }) };
};
type KeyOfDelivery = Pick<KnownDelivery, 'tenant' | 'id'>;
