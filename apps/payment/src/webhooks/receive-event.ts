/**
 * Takes an event of the provider: it is believed if it is signed, and stored once. The work on it begins behind the
 * answer, so the provider never waits for us.
 */
import { Inject, Injectable } from '@nestjs/common';
import { answerWith, fingerprintOf, Idempotency } from '@shop/idempotency';
import { counter, type Logger } from '@shop/observability';
import { Problem } from '@shop/problem';
import { Bulkhead, RetryableError } from '@shop/resilience';
import { LOGGER, WebhookSecrets } from '@shop/service';
import { PaymentEnvironment } from '../environment';
import { EventWorker } from './event-worker';
import {
  handlersOf,
  OTHER_TYPE,
  PROVIDER_EVENT_HANDLERS,
  type ProviderEventHandler,
  readEvent,
  type ReceivedEvent,
} from './provider-event';
import { insertEvent } from './provider-events.repository';
import { contentIn } from './signed-content';

const SCOPE = 'webhook/stripe';
/** The provider repeats an event for three days. Behind that, the row of the event still tells that it is known. */
const RETENTION_HOURS = 4 * 24;
/** A flood of events takes only a part of the connections to the database. */
const STORING: ConstructorParameters<typeof Bulkhead>[0] = { calls: 2, maxWaiting: 500 };
/** The provider asks again later. */
const MAX_WAIT_MS = 5_000;

type Received = 'stored' | 'repeated' | 'reused' | 'forged' | 'unreadable' | 'foreign' | 'unknown';

const received = counter('provider_events_received_total', 'Events of the payment provider, by what came of them', [
  'type',
  'outcome',
]);

@Injectable()
export class ReceiveEvent {
  private readonly storing = new Bulkhead(STORING);

  constructor(
    private readonly secrets: WebhookSecrets,
    private readonly idempotency: Idempotency,
    private readonly worker: EventWorker,
    private readonly environment: PaymentEnvironment,
    @Inject(PROVIDER_EVENT_HANDLERS) private readonly handlers: readonly ProviderEventHandler[],
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws Problem for what is not signed, is no event, or has the id of another event */
  async receive(bytes: Buffer, signature: string | undefined): Promise<void> {
    const secrets = this.secrets.current();
    if (secrets.length === 0) throw notConfigured();
    const read = readEvent(this.believed(bytes, signature, secrets));
    if (!read) {
      count(OTHER_TYPE, 'unreadable');
      throw new Problem(400, 'malformed_request', 'the content is signed, and is no event');
    }
    const { event, isLive, account } = read;
    const { handlers, label } = handlersOf(this.handlers, event.type);
    // The provider gets the same answer as for any other, so that it does not send these again.
    if (account !== undefined || isLive !== this.isLive()) return this.ignore(event, label, 'foreign');
    if (handlers.length === 0) return this.ignore(event, label, 'unknown');
    const outcome = await this.storing.run(() => this.store(event), { turn: SCOPE, maxWaitMs: MAX_WAIT_MS });
    count(label, outcome);
    if (outcome === 'stored') this.worker.wake();
    if (outcome !== 'reused') return;
    this.logger.error({ eventId: event.id, type: event.type }, 'provider_event.id.reused');
    throw new Problem(409, 'event_id_reused', 'an event with this id and other content is known');
  }

  private believed(bytes: Buffer, signature: string | undefined, secrets: readonly string[]): unknown {
    try {
      return contentIn(bytes, signature, secrets);
    } catch (problem) {
      count(OTHER_TYPE, (problem as Problem).code === 'signature_invalid' ? 'forged' : 'unreadable');
      throw problem;
    }
  }

  private ignore({ id, type }: ReceivedEvent, label: string, outcome: Received): void {
    count(label, outcome);
    this.logger.info({ eventId: id, type, outcome }, 'provider_event.ignored');
  }

  /** The repeats of an event differ in what they say of its delivery. So only what is kept of it is compared. */
  private async store(event: ReceivedEvent): Promise<'stored' | 'repeated' | 'reused'> {
    const { id: key, type, objectId, intentId, createdAt } = event;
    const fingerprint = fingerprintOf(type, objectId, intentId, createdAt);
    const claim = { scope: SCOPE, key, fingerprint, retentionHours: RETENTION_HOURS };
    const outcome = await this.idempotency.once(claim, async (tx) => {
      insertEvent(tx, event);
      return answerWith(200, {});
    });
    if (outcome.kind === 'in-use') throw new RetryableError('the event is being stored');
    if (outcome.kind === 'reused') return 'reused';
    return outcome.kind === 'fresh' ? 'stored' : 'repeated';
  }

  /** Whether our key moves real money. */
  private isLive(): boolean {
    return /^[a-z]+_live_/.test(this.environment.STRIPE_API_KEY ?? '');
  }
}

const count = (type: string, outcome: Received): void => received.inc({ type, outcome });

const notConfigured = () =>
  new Problem(404, 'webhooks_not_configured', 'no secret is configured here, so no event can be believed');
