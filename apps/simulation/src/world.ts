/** Everything of one run: replicas of the four services on real databases, and the ports that the scheduler holds. */
import type { CarrierEvent } from '@shop/fulfilment/testing';
import { type Batch, Channel } from './channel';
import { Client } from './client';
import { Clock } from './clock';
import type { Databases } from './databases';
import { furnish } from './furniture';
import { HoldWitness } from './hold-witness';
import { Keeper } from './keeper';
import { Operator } from './operator';
import { Outbox } from './outbox';
import { type Gaps, listenersTo, openReplica, type Replica, type Surroundings } from './replicas';
import { Progresses } from './progress';
import type { Script } from './script';
import { DIES } from './simulated-database';
import { SimulatedProvider, type Verdict } from './simulated-provider';
import { SimulatedCarrier } from './simulated-carrier';
import { SimulatedNeighbour } from './simulated-neighbour';
import { SimulatedPost } from './simulated-post';
import { type Service, services } from './service';
import { type Process, Stage } from './stage';
import { Witness } from './witness';

export class World implements Surroundings {
  readonly stage = new Stage();
  readonly clock = new Clock();
  readonly channel = new Channel(this.stage, this.clock);
  readonly witness = new Witness();
  readonly holds = new HoldWitness(this.stage, this.clock);
  readonly provider = new SimulatedProvider(this.stage, (process, charge) => this.witness.confirms(process, charge));
  readonly carrier: SimulatedCarrier;
  readonly progresses: Progresses;
  readonly post = new SimulatedPost(this.stage);
  readonly neighbour: SimulatedNeighbour;
  readonly outboxes: Record<Service, Outbox>;
  /** Payments of which the provider sends word. Each of these messages may come at any time, or never. */
  readonly webhooks: string[] = [];
  readonly clients: Client[];
  readonly keepers: Keeper[];
  readonly operators: Operator[];
  readonly replicas: Replica[] = [];
  private births = 0;

  constructor(
    readonly databases: Databases,
    readonly script: Script,
    readonly gaps: Gaps = {},
  ) {
    const outboxOf = (service: Service) =>
      new Outbox({ database: databases[service], tenant: script.tenant, listeners: listenersTo(service, script) });
    this.outboxes = {
      order: outboxOf('order'),
      inventory: outboxOf('inventory'),
      payment: outboxOf('payment'),
      fulfilment: outboxOf('fulfilment'),
    };
    const { addressed = [], recallsOnTheWay = true } = script.after ?? {};
    this.carrier = new SimulatedCarrier(this.stage, { recallsOnTheWay, forgets: gaps.carrierForgets });
    this.progresses = new Progresses({ stage: this.stage, carrier: this.carrier, tenant: script.tenant });
    this.neighbour = new SimulatedNeighbour(this.stage, databases.order, addressed);
    this.clients = script.purchases.map((purchase) => new Client(this.stage, script.tenant, purchase));
    for (const client of this.clients) {
      client.lender = this.clients.find(({ name }) => name === client.purchase.borrows);
    }
    this.keepers = (script.shop?.arrivals ?? []).map((arrival) => new Keeper(this.stage, script.tenant, arrival));
    const lookSoon = () => this.of('order').forEach((replica) => (replica.mayLook = true));
    this.operators = (script.holds?.holdings ?? []).map(
      (holding) => new Operator(this.stage, script.tenant, holding, lookSoon),
    );
    for (const service of services) {
      for (let count = 0; count < script.replicas[service]; count++) this.replicas.push(this.open(service));
    }
  }

  /** The catalogue and the stock, as if they had always been there. */
  furnish(): Promise<void> {
    return furnish(this.databases, this.script);
  }

  of(service: Service): Replica[] {
    return this.replicas.filter((replica) => replica.service === service);
  }

  /** Those who can be asked. */
  doors(service: Service): Replica[] {
    return this.of(service).filter(({ isStarting }) => !isStarting);
  }

  /**
   * Like SIGKILL: what was not committed is lost, its messages from a durable mailbox come again, and another process
   * starts on the same database, with an empty memory. Its requests to the provider may be on their way.
   */
  kill(process: Process): void {
    const index = this.replicas.findIndex((replica) => replica.process === process);
    if (index < 0) return;
    process.alive = false;
    this.holds.dies(process);
    for (const gate of [...this.stage.gates].filter((one) => one.process === process)) {
      if (gate.port === 'open transaction') gate.open(DIES);
      else if (gate.port.startsWith('answer of')) gate.open('nobody hears it');
      else if (gate.port !== 'transaction') Object.assign(gate, { what: `forgotten ${gate.what}`, ways: ['answers'] });
      else this.stage.gates.splice(this.stage.gates.indexOf(gate), 1);
    }
    this.channel.takeBackAllOf(process);
    for (const { calls } of [...this.clients, ...this.keepers, ...this.operators]) calls.hangUpOn(process);
    this.replicas[index] = this.open(this.replicas[index]!.service);
  }

  /** Looks for what is due, as the timer of its service would. */
  look(replica: Replica): void {
    replica.mayLook = false;
    replica.looks = true;
    void replica
      .lookNow()
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

  /** The fulfilment service takes a webhook of the carrier, which may send it again when it gets no answer. */
  hearOf(event: CarrierEvent, { process, fulfilment }: Replica): void {
    void fulfilment!.hearOf(event).catch((error: Error) => {
      if (process.alive) this.stage.note(`takes no word, ${error.message}`);
      this.carrier.news.push(event);
    });
  }

  /** A command is asked again by its saga. Events that the stream has lost are published again by their relay. */
  lose(batch: Batch): void {
    this.channel.lose(batch);
    const source = services.find((service) => batch.mailbox.startsWith(`evt.${service}@`));
    if (source) this.outboxes[source].republish(batch.messages);
  }

  publish({ process, publisher, service }: Replica): void {
    void this.stage.run(process, () => this.outboxes[service].publish(publisher));
  }

  pass(ms: number): void {
    this.clock.advance(ms);
    const hasTimer = {
      order: true,
      inventory: this.script.shop !== undefined,
      payment: this.provider.hasWaited,
      fulfilment: this.script.after !== undefined,
    };
    for (const replica of this.replicas) {
      replica.mayLook = hasTimer[replica.service];
    }
  }

  private open(service: Service): Replica {
    return openReplica(this, service, { name: `${service} ${++this.births}`, alive: true });
  }
}
