/** Opens a replica of a service on the ports of a run: what the product makes of its environment when it starts. */
import { type Carrier, type FulfilmentReplica, openFulfilmentReplica } from '@shop/fulfilment/testing';
import { type Ledger, PostgresLedger } from '@shop/idempotency';
import { type WholeInventory, openWholeInventory } from '@shop/inventory/testing';
import { eventsFor, type Message, type Publisher } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { openOrderReplica, type OrderReplica } from '@shop/order/testing';
import { openPaymentReplica, type PaymentReplica } from '@shop/payment/testing';
import type { Statement } from '@shop/postgres';
import { Dependency } from '@shop/resilience';
import type { Channel, Consumer } from './channel';
import type { Clock } from './clock';
import type { Databases } from './databases';
import type { HoldWitness } from './hold-witness';
import type { Outbox } from './outbox';
import type { Progresses, Ranked } from './progress';
import type { Script } from './script';
import type { SimulatedCarrier } from './simulated-carrier';
import type { SimulatedNeighbour } from './simulated-neighbour';
import type { SimulatedPost } from './simulated-post';
import type { Service } from './service';
import { type DatabasePort, SimulatedDatabase } from './simulated-database';
import type { Provider, SimulatedProvider } from './simulated-provider';
import type { Process, Stage } from './stage';
import type { Sent, Witness } from './witness';

/** What a test removes from the product, to see that the simulation notices. */
export interface Gaps {
  ledger?: (service: Service) => Ledger | undefined;
  message?: (message: Message) => Message;
  provider?: (provider: Provider) => Provider;
  carrier?: (carrier: Carrier) => Carrier;
  /** It takes a parcel as often as it is asked. */
  carrierForgets?: boolean;
  statement?: (statement: Statement) => Statement;
}

/** What a replica meets of its run. */
export interface Surroundings {
  stage: Stage;
  clock: Clock;
  channel: Channel;
  witness: Witness;
  holds: HoldWitness;
  progresses: Progresses;
  provider: SimulatedProvider;
  carrier: SimulatedCarrier;
  post: SimulatedPost;
  neighbour: SimulatedNeighbour;
  outboxes: Record<Service, Outbox>;
  databases: Databases;
  script: Script;
  gaps: Gaps;
  kill: (process: Process) => void;
}

export interface Replica extends Consumer {
  service: Service;
  /** Its other mailboxes: events of other services. */
  hears: Consumer[];
  /** Of the order service alone. */
  order?: OrderReplica;
  /** Of the inventory service alone. */
  inventory?: WholeInventory;
  /** Of the payment service alone. */
  payment?: PaymentReplica;
  /** Of the fulfilment service alone. */
  fulfilment?: FulfilmentReplica;
  /** Does what the timer of its service does. */
  lookNow: () => Promise<unknown>;
  /** Time has passed since it looked for what is due. */
  mayLook: boolean;
  looks: boolean;
  /** It reads what it has to know first, and until then does nothing else. */
  isStarting: boolean;
}

type Born = Omit<Replica, Service | 'take' | 'lookNow'>;

interface Opening {
  world: Surroundings;
  born: Born;
  database: SimulatedDatabase;
  ledger: Ledger;
}

/** Short, so that many payments reach the end of their time. */
const limits = { approvalSeconds: 40, processingSeconds: 60 };
/** Real time, in which a busy machine may stop us. The times that the product waits for are virtual. */
const PATIENCE_MS = 60_000;
const unbounded = { calls: 1_000, maxWaiting: 1_000 };

const logger = createLogger({ service: 'simulation', level: 'silent', format: 'json' });
const mailboxes: Record<Service, string> = {
  order: 'reply.order',
  inventory: 'cmd.inventory',
  payment: 'cmd.payment',
  fulfilment: 'cmd.fulfilment',
};

/** The mailboxes of those who listen to the events of a service. */
export function listenersTo(source: Service, { after }: Script): string[] {
  const listeners: Partial<Record<Service, Service[]>> = {
    order: after ? ['fulfilment'] : [],
    payment: after ? ['order', 'fulfilment'] : ['order'],
    fulfilment: ['order'],
  };
  return (listeners[source] ?? []).map((listener) => eventsFor(listener, source));
}

export function openReplica(world: Surroundings, service: Service, process: Process): Replica {
  const { stage, clock, gaps, witness } = world;
  const kill = (one: Process) => world.kill(one);
  const onCommit = (one: Process, sent: readonly Sent[]) => {
    if (service === 'payment') witness.sees(one, sent);
    if (service === 'order') world.progresses.sees(sent);
    if (service === 'order') world.holds.sees(one, sent);
    // Its relay looks for events, also when nobody has woken it.
    if (sent.some(({ name }) => name === 'outbox.insert')) world.outboxes[service].isFull = true;
  };
  const changed = gaps.statement;
  const rankOf = (row: Ranked) => world.progresses.rankOf(row);
  const port = { stage, clock, process, kill, onCommit, rankOf, changed, ...(service === 'order' && watched(world)) };
  const database = new SimulatedDatabase(world.databases[service], port);
  const ledger = gaps.ledger?.(service) ?? new PostgresLedger();
  const publisher = publisherOf(world, process);
  const mailbox = mailboxes[service];
  const born = { service, process, publisher, mailbox, mayLook: false, looks: false, isStarting: false, hears: [] };
  return openings[service]({ world, born, database, ledger });
}

const openings: Record<Service, (opening: Opening) => Replica> = {
  order: openOrder,
  inventory: openInventory,
  payment: openPayment,
  fulfilment: openFulfilment,
};

/** For those who see what is held. */
const watched = ({ holds }: Surroundings): Pick<DatabasePort, 'onAnswer' | 'letAct'> => ({
  onAnswer: (process, { name, at }) => name === 'saga-hold.select' && holds.reads(process, at),
  letAct: (_, sent, act) => holds.letAct(sent, act),
});

function openOrder({ world, born, database, ledger }: Opening): Replica {
  const { clock, script, stage } = world;
  const { publisher } = born;
  const order = openOrderReplica({ database, ledger, publisher, logger });
  const payments = hearing(born, 'payment', (messages) => order.paymentNews.take(messages));
  const deliveries = hearing(born, 'fulfilment', (messages) => order.deliveryNews.take(messages));
  const { deadlines, holds, releases } = order;
  const readHolds = () => holds.refresh().catch((error: Error) => stage.note(`reads no holds, ${error.message}`));
  const replica: Replica = {
    ...born,
    order,
    // A reply says until when to wait, and the engine compares it with its own clock.
    take: (deliveries) => clock.reading(() => order.replies.take(deliveries)),
    hears: [payments, deliveries],
    // Each has a timer of its own, and in the runs without operators nothing is held.
    lookNow: () => (script.holds ? Promise.all([deadlines.wake(), readHolds(), releases.wake()]) : deadlines.wake()),
    isStarting: script.holds !== undefined,
  };
  if (script.holds) void readHolds().then(() => (replica.isStarting = false));
  return replica;
}

function openInventory({ world, born, database, ledger }: Opening): Replica {
  const { shop } = world.script;
  const onPieces = () => (replica.mayLook = shop !== undefined);
  const { orderReservationSeconds } = shop ?? {};
  const inventory = openWholeInventory({ database, ledger, logger, onPieces, orderReservationSeconds });
  const { expiring, filling, commands } = inventory;
  const lookNow = async () => {
    const isMore = [await expiring.expireDue(), await filling.fillDue()].includes(0);
    replica.mayLook ||= isMore;
  };
  const replica: Replica = { ...born, inventory, take: (deliveries) => commands.take(deliveries), lookNow };
  return replica;
}

function openPayment({ world, born, database, ledger }: Opening): Replica {
  const { clock, gaps } = world;
  const reached = world.provider.reachedFrom(born.process);
  const provider = gaps.provider?.(reached) ?? reached;
  const dependency = new Dependency(
    { name: 'simulated-provider', ...unbounded, timeoutMs: PATIENCE_MS, totalMs: PATIENCE_MS, maxTries: 1 },
    { now: () => clock.now },
  );
  const payment = openPaymentReplica({ database, ledger, provider, logger, limits, dependency, heartbeat: false });
  return {
    ...born,
    payment,
    take: (deliveries) => payment.take(deliveries),
    lookNow: () => payment.settleNextDue(),
  };
}

function openFulfilment({ world, born, database, ledger }: Opening): Replica {
  const { post, neighbour, script, gaps } = world;
  const { process } = born;
  const reached = world.carrier.reachedFrom(process);
  const fulfilment = openFulfilmentReplica({
    database,
    ledger,
    logger,
    order: neighbour.reachedFrom(process),
    carrier: gaps.carrier?.(reached) ?? reached,
    mailer: post.reachedFrom(process),
    isAtMostOnce: script.after?.isAtMostOnce,
    relay: { wake: () => undefined },
    onWork: () => (replica.mayLook = true),
  });
  const hears = (['order', 'payment'] as const).map((source) =>
    hearing(born, source, (messages) => fulfilment.events.take(messages)),
  );
  const replica: Replica = {
    ...born,
    fulfilment,
    take: (deliveries) => fulfilment.commands.take(deliveries),
    hears,
    lookNow: async () => {
      await fulfilment.followUp();
      await Promise.all([fulfilment.deliver(), fulfilment.send()]);
    },
  };
  return replica;
}

const hearing = ({ service, process, publisher }: Born, source: Service, take: Consumer['take']): Consumer => ({
  process,
  publisher,
  mailbox: eventsFor(service, source),
  take,
});

function publisherOf({ channel, gaps, holds }: Surroundings, process: Process): Publisher {
  const publisher = channel.publisherOf(process);
  const { message: changed = (message: Message) => message } = gaps;
  const send: Publisher['send'] = (mailbox, message, replica) => {
    holds.leaves(process, message);
    publisher.send(mailbox, changed(message), replica);
  };
  return { replica: publisher.replica, send } as Publisher;
}
