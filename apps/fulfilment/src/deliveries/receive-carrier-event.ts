/**
 * Takes an event of the carrier: believed if it is signed, and written once, with what others hear of it. Events come
 * repeated and in any order; the state of the delivery sorts them.
 */
import { Inject, Injectable } from '@nestjs/common';
import { answerWith, fingerprintOf, Idempotency } from '@shop/idempotency';
import { counter, type Logger } from '@shop/observability';
import { Problem } from '@shop/problem';
import { Bulkhead, RetryableError } from '@shop/resilience';
import { LOGGER, signedContent, WebhookSecrets } from '@shop/service';
import { type CarrierEvent, readCarrierEvent } from './carrier-event';
import { lockByReference } from './deliveries.repository';
import { MovingDeliveries } from './moving-deliveries';
import { seen } from './working-on-deliveries';

const SCOPE = 'webhook/carrier';
/** Longer than a carrier repeats an event. Behind that, the state of the delivery still sorts it out. */
const RETENTION_HOURS = 4 * 24;
/** A flood of events takes only a part of the connections to the database. */
const STORING: ConstructorParameters<typeof Bulkhead>[0] = { calls: 2, maxWaiting: 500 };
/** The carrier asks again later. */
const MAX_WAIT_MS = 5_000;

type Received = 'taken' | 'repeated' | 'reused' | 'forged' | 'unreadable' | 'unknown';

const received = counter('carrier_events_received_total', 'Events of the carrier, by what came of them', ['outcome']);

@Injectable()
export class ReceiveCarrierEvent {
  private readonly storing = new Bulkhead(STORING);

  constructor(
    @Inject(WebhookSecrets) private readonly secrets: WebhookSecrets,
    @Inject(Idempotency) private readonly idempotency: Idempotency,
    @Inject(MovingDeliveries) private readonly moving: MovingDeliveries,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws Problem for what is not signed, is no event, or has the id of another event */
  async receive(bytes: Buffer, signature: string | undefined): Promise<void> {
    const secrets = this.secrets.current();
    if (secrets.length === 0) {
      throw new Problem(404, 'webhooks_not_configured', 'no secret is configured here, so no event can be believed');
    }
    const event = readCarrierEvent(this.believed(bytes, signature, secrets));
    if (!event) {
      count('unreadable');
      throw new Problem(400, 'malformed_request', 'the content is signed, and is no event of a shipment');
    }
    const outcome = await this.storing.run(() => this.write(event), { turn: SCOPE, maxWaitMs: MAX_WAIT_MS });
    count(outcome);
    const { id: eventId, type, shipment } = event;
    // It may be that of another shop, or of what a restored database has forgotten. The carrier need not send it again.
    if (outcome === 'unknown') {
      this.logger.warn({ eventId, type, deliveryId: shipment.reference }, 'carrier_event.unknown');
    }
    if (outcome !== 'reused') return;
    this.logger.error({ eventId, type }, 'carrier_event.id.reused');
    throw new Problem(409, 'event_id_reused', 'an event with this id and other content is known');
  }

  private believed(bytes: Buffer, signature: string | undefined, secrets: readonly string[]): unknown {
    try {
      return signedContent({ bytes, signature }, secrets);
    } catch (problem) {
      count((problem as Problem).code === 'signature_invalid' ? 'forged' : 'unreadable');
      throw problem;
    }
  }

  private async write({ id: key, type, shipment }: CarrierEvent): Promise<Received> {
    const fingerprint = fingerprintOf(type, shipment.id, shipment.reference, shipment.status);
    let isKnown = true;
    const claim = { scope: SCOPE, key, fingerprint, retentionHours: RETENTION_HOURS };
    const outcome = await this.idempotency.once(claim, async (tx) => {
      const delivery = await lockByReference(tx, shipment.reference);
      isKnown = delivery !== undefined;
      if (delivery) this.moving.apply(tx, delivery, seen(shipment));
      return answerWith(200, {});
    });
    if (outcome.kind === 'in-use') throw new RetryableError('the event is being written');
    if (outcome.kind === 'reused') return 'reused';
    if (outcome.kind !== 'fresh') return 'repeated';
    return isKnown ? 'taken' : 'unknown';
  }
}

const count = (outcome: Received): void => received.inc({ outcome });
