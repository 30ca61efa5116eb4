/** The connection to NATS: one for each process, kept open and made again whenever it is lost. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { jetstream, type JetStreamClient, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import {
  connect,
  errors,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  type Subscription,
} from '@nats-io/transport-node';
import type { Logger } from '@shop/observability';
import { connectionOf, isNotTrusted, reasonOf, type Credentials, type Tls, withoutUser } from './broker-options';
import { inboxPrefixOf } from './permissions';

export interface BrokerOptions {
  url: string;
  /** Its name: the broker shows it in its list of connections, and lets it send from its own subjects only. */
  service: string;
  logger: Logger;
  credentials?: Credentials;
  tls?: Tls;
}

const RECONNECT_WAIT_MS = 250;
/** A connection that has gone silent is given up after the third ping without an answer. */
const PING_INTERVAL_MS = 2_000;
const MAX_PINGS_OUT = 2;
/** For one attempt to connect; there is no end to the attempts. */
const CONNECT_TIMEOUT_MS = 5_000;
const SAY_WAITING_MS = 3_000;

/** An operator has to set other credentials; the code makes it one sentence. */
export class BrokerRefusal extends Error {
  readonly code = 'EBROKERREFUSED';

  constructor() {
    super('the broker refuses the credentials; set NATS_USER and NATS_PASSWORD, or NATS_CREDENTIALS_FILE');
    this.name = 'BrokerRefusal';
  }
}

/** The certificate of the broker is not the one that it should have, or it has none. An operator has to look. */
export class BrokerNotTrusted extends Error {
  readonly code = 'EBROKERNOTTRUSTED';

  constructor(cause: Error) {
    super(`the broker is not trusted (${cause.message}); NATS_CA_FILE has to fit it, and NATS_URL has to name it`, {
      cause,
    });
    this.name = 'BrokerNotTrusted';
  }
}

export class Broker {
  /** The name of this process among the replicas of its service; a new one at each start. */
  readonly replica = randomUUID();
  private connection?: NatsConnection;
  private waitsBecause?: string;
  private away = false;
  private closed = false;
  private readonly returned: (() => void)[] = [];

  constructor(private readonly options: BrokerOptions) {}

  get service(): string {
    return this.options.service;
  }

  /**
   * Connects, waiting for a broker that is not there yet.
   * @throws BrokerRefusal when the broker does not know the user or the password
   * @throws BrokerNotTrusted when we do not know the broker
   */
  async connect(): Promise<void> {
    const { url, logger } = this.options;
    const say = () => logger.warn({ servers: withoutUser(url), reason: this.waitsBecause }, 'broker.waiting');
    const waiting = setInterval(say, SAY_WAITING_MS);
    this.connection = await this.firstConnection().finally(() => clearInterval(waiting));
    void this.logStatus(this.connection, logger);
  }

  /** The client would wait for ever with a wrong password too, and say nothing. */
  private async firstConnection(): Promise<NatsConnection> {
    const { url, credentials, tls } = this.options;
    const given = connectionOf(url, credentials, tls);
    for (;;) {
      try {
        return await this.open(given);
      } catch (error) {
        if (error instanceof errors.AuthorizationError) throw new BrokerRefusal();
        if (isNotTrusted(error)) throw new BrokerNotTrusted(error);
        if (this.closed) throw error;
        this.waitsBecause = reasonOf(error as Error, given);
        await pause(RECONNECT_WAIT_MS);
      }
    }
  }

  private open(given: NodeConnectionOptions): Promise<NatsConnection> {
    const { service } = this.options;
    return connect({
      ...given,
      name: `shop-${service}`,
      inboxPrefix: inboxPrefixOf(service),
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: MAX_PINGS_OUT,
      // The broker may have got new passwords, and get ours a little later.
      ignoreAuthErrorAbort: true,
      // What a process tells the other replicas it knows already.
      noEcho: true,
      // Most requests are replies on the short way, which end by their timeout: nobody reads the stack traces.
      noAsyncTraces: true,
    });
  }

  get nats(): NatsConnection {
    if (!this.connection) throw new Error('the broker is not connected yet');
    return this.connection;
  }

  /** False from the loss of the connection until it is made again. */
  get isConnected(): boolean {
    return !this.away;
  }

  onReconnect(tell: () => void): void {
    this.returned.push(tell);
  }

  /**
   * Use this instead of the client's own `subscribe`: there, a callback that throws stops the reading of the
   * connection for good, and nobody is told. Here the error is logged, and the next message comes.
   */
  subscribe(subject: string, take: (message: Msg) => unknown): Subscription {
    const { logger } = this.options;
    const failed = (error: unknown) =>
      logger.error(
        { subject, reason: error instanceof Error ? error.message : String(error) },
        'broker.callback.failed',
      );
    const takeSafely = async (message: Msg) => {
      try {
        await take(message);
      } catch (error) {
        failed(error);
      }
    };
    return this.nats.subscribe(subject, {
      callback: (error, message) => (error ? failed(error) : void takeSafely(message)),
    });
  }

  jetstream(): JetStreamClient {
    return jetstream(this.nats);
  }

  /** Without the check at its start, so that it works while JetStream is away. */
  manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.nats, { checkAPI: false });
  }

  /** Resolves when the broker answers; rejects when it does not. */
  async ping(): Promise<void> {
    await this.nats.flush();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.connection?.drain().catch(() => undefined);
    this.connection = undefined;
  }

  private async logStatus(connection: NatsConnection, logger: Logger): Promise<void> {
    let refused = '';
    for await (const status of connection.status()) {
      // The same one may come with every message.
      if (status.type === 'error' && status.error.message !== refused) {
        refused = status.error.message;
        logger.error({ reason: refused }, 'broker.refused');
      }
      if (status.type === 'disconnect') {
        this.away = true;
        logger.warn('broker.disconnected');
      }
      if (status.type === 'reconnect') {
        this.away = false;
        logger.info('broker.reconnected');
        for (const tell of this.returned) tell();
      }
    }
  }
}
