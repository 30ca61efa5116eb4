/** Everything of one run: replicas of the three services on real databases, and the ports that the scheduler holds. */
import { type Ledger, PostgresLedger } from '@shop/idempotency';
import { openInventoryReplica } from '@shop/inventory/testing';
import type { Message, Publisher } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { openOrderReplica, type OrderReplica } from '@shop/order/testing';
import { openPaymentReplica, type PaymentReplica } from '@shop/payment/testing';
import type { Statement } from '@shop/postgres';
import { Dependency } from '@shop/resilience';
import { Channel, type Consumer } from './channel';
import { Client } from './client';
import { Clock } from './clock';
import { type Databases, type Service, services } from './databases';
import { Outbox, PAYMENT_NEWS } from './outbox';
import { PRICE, type Script } from './script';
import { DIES, SimulatedDatabase } from './simulated-database';
import { type Provider, SimulatedProvider, type Verdict } from './simulated-provider';
import { type Process, Stage } from './stage';
import { Witness } from './witness';

/** What a test removes from the product, to see that the simulation notices. */
export interface Gaps {
  ledger?: (service: Service) => Ledger | undefined;
  message?: (message: Message) => Message;
  provider?: (provider: Provider) => Provider;
}

export interface Replica extends Consumer {
  service: Service;
  /** Of the order service alone. */
  order?: OrderReplica;
  /** Its other mailbox: events of payment. */
  news?: Consumer;
  /** Of the payment service alone. */
  payment?: PaymentReplica;
  /** Time has passed since it looked for missed deadlines, or for payments about which to ask the provider. */
  mayLook: boolean;
  looks: boolean;
}

/** Short, so that many payments reach the end of their time. */
const limits = { approvalSeconds: 40, processingSeconds: 60 };
/** Real time, in which a busy machine may stop us. The times that the product waits for are virtual. */
const PATIENCE_MS = 60_000;

const unbounded = { calls: 1_000, maxWaiting: 1_000 };

const logger = createLogger({ service: 'simulation', level: 'silent', format: 'json' });
const mailboxes: Record<Service, string> = { order: 'reply.order', inventory: 'cmd.inventory', payment: 'cmd.payment' };

export class World {
  readonly stage = new Stage();
  readonly clock = new Clock();
  readonly channel = new Channel(this.stage, this.clock);
  readonly witness = new Witness();
  readonly provider = new SimulatedProvider(this.stage, (process, charge) => this.witness.confirms(process, charge));
  readonly outbox: Outbox;
  /** Payments of which the provider sends word. Each of these messages may come at any time, or never. */
  readonly webhooks: string[] = [];
  readonly clients: Client[];
  readonly replicas: Replica[] = [];
  private births = 0;

  constructor(
    readonly databases: Databases,
    readonly script: Script,
    private readonly gaps: Gaps = {},
  ) {
    this.outbox = new Outbox(databases.payment, script.tenant);
    this.clients = script.purchases.map((purchase) => new Client(this.stage, script.tenant, purchase));
    for (const service of services) {
      for (let count = 0; count < script.replicas[service]; count++) this.replicas.push(this.open(service));
    }
  }

  /** The catalogue and the stock, as if they had always been there. */
  async furnish(): Promise<void> {
    const { databases, script } = this;
    const skus = Object.keys(script.stock);
    await databases.order.query(insertProducts, [script.tenant, PRICE, skus]);
    await databases.inventory.query(insertStock, [script.tenant, skus, Object.values(script.stock)]);
  }

  of(service: Service): Replica[] {
    return this.replicas.filter((replica) => replica.service === service);
  }

  /**
   * Like SIGKILL: what was not committed is lost, its messages from a durable mailbox come again, and another process
   * starts on the same database, with an empty memory. Its requests to the provider may be on their way.
   */
  kill(process: Process): void {
    const index = this.replicas.findIndex((replica) => replica.process === process);
    if (index < 0) return;
    process.alive = false;
    for (const gate of [...this.stage.gates].filter((one) => one.process === process)) {
      if (gate.port === 'open transaction') gate.open(DIES);
      else if (gate.port === 'answer of the provider') gate.open('nobody hears it');
      else if (gate.port === 'provider') Object.assign(gate, { what: `forgotten ${gate.what}`, ways: ['answers'] });
      else this.stage.gates.splice(this.stage.gates.indexOf(gate), 1);
    }
    this.channel.takeBackAllOf(process);
    for (const client of this.clients) client.hangUpOn(process);
    this.replicas[index] = this.open(this.replicas[index]!.service);
  }

  /** Looks for missed deadlines, or for a payment about which to ask the provider, as the timer would. */
  look(replica: Replica): void {
    replica.mayLook = false;
    replica.looks = true;
    const looking = replica.order?.deadlines.wake() ?? replica.payment!.settleNextDue();
    void looking
      .catch((error: Error) => replica.process.alive && this.stage.note(`finds out nothing, ${error.message}`))
      .then(() => (replica.looks = false));
  }

  /** The customer or the bank decides, and the provider sends word of it. */
  decide(verdict: Verdict): void {
    this.provider.decide(verdict);
    this.webhooks.push(verdict.kept.paymentId);
  }

  /** The payment service takes the oldest webhook. */
  tellOf(replica: Replica): void {
    const id = this.webhooks.shift()!;
    void replica.payment!.hasten({ tenant: this.script.tenant, id }).then(
      () => (replica.mayLook = true),
      (error: Error) => this.stage.note(`takes no webhook, ${error.message}`),
    );
  }

  publish({ process, publisher }: Replica): void {
    void this.stage.run(process, () => this.outbox.publish(publisher));
  }

  pass(ms: number): void {
    this.clock.advance(ms);
    for (const replica of this.replicas) {
      replica.mayLook = replica.service === 'order' || (replica.service === 'payment' && this.provider.hasWaited);
    }
  }

  private open(service: Service): Replica {
    const { stage, clock, gaps } = this;
    const process: Process = { name: `${service} ${++this.births}`, alive: true };
    const kill = (one: Process) => this.kill(one);
    const { witness } = this;
    const onCommit = service === 'payment' ? witness.sees.bind(witness) : undefined;
    const database = new SimulatedDatabase(this.databases[service], { stage, clock, process, kill, onCommit });
    const ledger = gaps.ledger?.(service) ?? new PostgresLedger();
    const publisher = this.publisherOf(process);
    const born = { service, process, publisher, mailbox: mailboxes[service], mayLook: false, looks: false };
    switch (service) {
      case 'order': {
        const order = openOrderReplica({ database, ledger, publisher, logger });
        // A reply says until when to wait, and the engine compares it with its own clock.
        const take: Consumer['take'] = (deliveries) => clock.reading(() => order.replies.take(deliveries));
        const hear: Consumer['take'] = (deliveries) => order.paymentNews.take(deliveries);
        return { ...born, order, take, news: { process, publisher, mailbox: PAYMENT_NEWS, take: hear } };
      }
      case 'inventory': {
        const commands = openInventoryReplica({ database, ledger });
        return { ...born, take: (deliveries) => commands.take(deliveries) };
      }
      case 'payment': {
        const reached = this.provider.reachedFrom(process);
        const provider = gaps.provider?.(reached) ?? reached;
        const dependency = new Dependency(
          { name: 'simulated-provider', ...unbounded, timeoutMs: PATIENCE_MS, totalMs: PATIENCE_MS, maxTries: 1 },
          { now: () => clock.now },
        );
        const relay = { wake: () => (this.outbox.isFull = true) };
        const payment = openPaymentReplica({ database, ledger, provider, logger, limits, relay, dependency });
        return { ...born, payment, take: (deliveries) => payment.take(deliveries) };
      }
    }
  }

  private publisherOf(process: Process): Publisher {
    const publisher = this.channel.publisherOf(process);
    const { message: changed } = this.gaps;
    if (!changed) return publisher;
    const send: Publisher['send'] = (mailbox, message, replica) => publisher.send(mailbox, changed(message), replica);
    return { replica: publisher.replica, send } as Publisher;
  }
}

const insertProducts: Statement = {
  name: 'simulation.insert-products',
  text: `
    insert into product (tenant, sku, name, price_amount, price_currency)
    select $1, sku, sku, $2, 'EUR' from unnest($3::text[]) as sku`,
};

const insertStock: Statement = {
  name: 'simulation.insert-stock',
  text: `
    with made as (
      insert into stock (tenant, sku, on_hand) select $1, sku, pieces from unnest($2::text[], $3::int[]) as s (sku, pieces)
      returning tenant, sku, on_hand
    )
    insert into stock_movement (tenant, sku, delta, reason, cause)
    select tenant, sku, on_hand, 'counted', 'PUT' from made`,
};
