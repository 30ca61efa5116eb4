/** Chooses what happens next: at random in bad times, and without any fault in the calm that follows. */
import type { Statement } from '@shop/postgres';
import type { SeededRandom } from '@shop/testing';
import type { Batch, Consumer } from './channel';
import type { Client } from './client';
import type { Gate } from './stage';
import type { Replica, World } from './world';

const selectNextCheck: Statement = {
  name: 'simulation.next-check',
  text: 'select min(check_at) as at from payment where tenant = $1',
};

const selectNextDeadline: Statement = {
  name: 'simulation.next-deadline',
  text: `
    select min(deadline_at) as at from saga
    where status in ('running', 'compensating') and data ->> 'tenant' = $1`,
};

interface Choice {
  weight: number;
  /** The line for the trace. */
  text: () => string;
  take: () => void;
}

/** So much virtual time passes before each choice, so no two things happen at the same instant. */
const MOMENT_MS = 1;
/** From very short to longer than a lease and most deadlines. */
const LEAPS_MS = [500, 1_000, 3_000, 3_000, 10_000, 30_000];
/** While a service is away: most deadlines, so that budgets are spent. */
const LONG_LEAP_MS = 30_000;
/** Fewer than the attempts of an undo; after more of them, a saga without a reply would be right to park. */
const MOST_LEAPS = 15;
/** Of so many times that nothing else is to do, somebody decides once. So some payments expire before. */
const PATIENCE_IN_CALM = 10;
/** A run that has not ended after so many choices never will. */
const MOST_CALM_CHOICES = 1_500;

export class Scheduler {
  readonly trace: string[] = [];
  private leaps = 0;

  constructor(
    private readonly world: World,
    private readonly random: SeededRandom,
  ) {}

  async badTimes(): Promise<void> {
    for (let choices = this.world.script.choices; choices > 0; choices--) {
      const choice = this.pick(this.choices());
      if (!choice) return;
      await this.make(choice);
    }
  }

  /** Returns false when the sagas do not end. */
  async calm(): Promise<boolean> {
    this.trace.push('from here on nothing goes wrong any more');
    for (const replica of this.world.replicas) replica.mayLook = false;
    for (let choices = 0; choices < MOST_CALM_CHOICES; choices++) {
      const choice = this.nextInCalm() ?? (await this.sleep());
      if (!choice) return true;
      await this.make(choice);
    }
    return false;
  }

  /** Every client asks once more, and again nothing goes wrong. */
  async repeatAll(): Promise<void> {
    for (const client of this.world.clients) await this.make(this.posting(client, this.world.of('order')[0]!));
    await this.calm();
  }

  private async make({ text, take }: Choice): Promise<void> {
    const { stage, clock, channel } = this.world;
    clock.advance(MOMENT_MS);
    const line = `${clock.elapsed}  ${text()}`;
    take();
    await stage.quiet();
    const notes = stage.notes.splice(0);
    this.trace.push(channel.inWords(notes.length > 0 ? `${line}: ${notes.join(', ')}` : line));
  }

  private pick(choices: Choice[]): Choice | undefined {
    const possible = choices.filter(({ weight }) => weight > 0);
    let point = this.random.next() * possible.reduce((sum, { weight }) => sum + weight, 0);
    return possible.find(({ weight }) => (point -= weight) < 0) ?? possible.at(-1);
  }

  private choices(): Choice[] {
    const { channel, stage, replicas, clients, script } = this.world;
    const { weights } = script;
    const gateways = this.world.of('order');
    const { isPaid } = this.world.provider;
    const deliverable = channel.deliverable().filter(({ mailbox }) => mailbox !== `cmd.${script.away}`);
    const arriving = deliverable.flatMap((batch) =>
      this.arrivals(batch, batch === deliverable.at(-1) ? 10 : weights.olderBatches),
    );
    const meddling = channel.waiting.length > 0 ? this.meddling(this.random.pick(channel.waiting)) : [];
    return [
      ...stage.gates.map((gate) => this.opening(gate)),
      ...arriving,
      ...meddling,
      ...clients.flatMap((client) =>
        client.wishes({ isPaid }).map((wish) => this.wish(client, wish, this.random.pick(gateways))),
      ),
      ...replicas.filter(({ mayLook, looks }) => mayLook && !looks).map((replica) => this.looking(replica)),
      ...this.verdicts(),
      ...this.news(),
      ...replicas.map((replica) => this.killing(replica)),
      ...(this.leaps < MOST_LEAPS ? [this.leap(weights.time)] : []),
    ];
  }

  private nextInCalm(): Choice | undefined {
    const { channel, stage, clients } = this.world;
    if (stage.gates.length > 0) {
      const gate = this.random.pick(stage.gates);
      return { ...this.opening(gate), ...this.opened(gate, gate.ways[0]) };
    }
    const arrivals = channel.deliverable().flatMap((batch) => this.arrivals(batch, 1).slice(0, 1));
    if (arrivals.length > 0) return this.random.pick(arrivals);
    const client = clients.find(({ answers, waits }) => answers.length === 0 && !waits);
    if (client) return this.posting(client, this.world.of('order')[0]!);
    const replica = this.world.replicas.find(({ mayLook, looks }) => mayLook && !looks);
    if (replica) return this.looking(replica);
    const [news] = this.news();
    if (news) return news;
    // Whoever is to decide has time until the payment expires, and longer.
    const verdicts = this.verdicts();
    return verdicts.length > 0 && this.random.int(PATIENCE_IN_CALM) === 0 ? this.random.pick(verdicts) : undefined;
  }

  /** Until the next batch is due or a deadline passes. */
  private async sleep(): Promise<Choice | undefined> {
    const { channel, clock, databases, script } = this.world;
    const [next] = await databases.order.query<{ at: Date | null }>(selectNextDeadline, [script.tenant]);
    const [check] = await databases.payment.query<{ at: Date | null }>(selectNextCheck, [script.tenant]);
    const moments = [next?.at, check?.at].flatMap((at) => (at ? [at.getTime()] : []));
    const times = [...channel.waiting.map(({ notBefore }) => notBefore), ...moments];
    if (times.length === 0) return undefined;
    const ms = Math.max(MOMENT_MS, Math.min(...times) - clock.now);
    const end = clock.now + ms + MOMENT_MS;
    const due = (row?: { at: Date | null }) => row?.at && row.at.getTime() <= end;
    const take = () => {
      clock.advance(ms);
      // One is enough, and only where something has an effect.
      if (due(next)) this.world.of('order')[0]!.mayLook = true;
      if (due(check)) this.world.of('payment')[0]!.mayLook = true;
    };
    return { weight: 1, text: () => `${ms} ms pass`, take };
  }

  private opening(gate: Gate): Choice {
    const { weights } = this.world.script;
    const slow = gate.port === 'provider' || gate.port === 'answer of the provider';
    return { weight: slow ? weights.providerSpeed : 10, ...this.opened(gate) };
  }

  /** In bad times, the way is chosen together with the gate. */
  private opened(gate: Gate, fixed?: string): Pick<Choice, 'text' | 'take'> {
    const way = fixed ?? this.wayThrough(gate);
    const what = gate.what ? `${gate.port} (${gate.what})` : gate.port;
    return { text: () => `${gate.process.name}: ${what} ${way}`, take: () => gate.open(way) };
  }

  private wayThrough({ port, ways }: Gate): string {
    const { brokenTransactions, pausedTransactions, providerFaults, providerFault } = this.world.script.weights;
    const [usual, ...others] = ways as [string, ...string[]];
    const chance = this.random.int(100);
    const [pauses, breaks] = [others.slice(0, 2), others.slice(2)];
    switch (port) {
      case 'transaction':
        if (chance < brokenTransactions) return this.random.pick(breaks);
        return chance < brokenTransactions + pausedTransactions ? this.random.pick(pauses) : usual;
      case 'open transaction':
        return chance < brokenTransactions ? others[0]! : usual;
      default:
        if (others.length === 0 || chance >= providerFaults) return usual;
        return providerFault ?? this.random.pick(others);
    }
  }

  /** What may happen to a batch now, first without a fault; nothing while its consumers have enough work. */
  private arrivals(batch: Batch, weight: number): Choice[] {
    const { channel, replicas, script } = this.world;
    const { mailbox, replica, messages } = batch;
    const what = () => channel.describe(batch);
    const consumers = replicas.flatMap((one): Consumer[] => (one.news ? [one, one.news] : [one]));
    const listening = consumers.filter(
      (one) => one.mailbox === mailbox && [undefined, one.process.name].includes(replica),
    );
    if (listening.length === 0) {
      const lost = (weight * script.weights.loseWithReceiver) / 10;
      return [
        { weight, text: () => `nobody listens for ${what()}`, take: () => channel.redirect(batch) },
        { weight: lost, text: () => `${what()} is lost on its way to ${replica}`, take: () => channel.lose(batch) },
      ];
    }
    const ready = listening.filter(({ process }) => channel.roomOf(process) >= messages.length);
    if (ready.length === 0) return [];
    const consumer = this.random.pick(ready);
    const gets = replica ? 'gets directly' : 'gets';
    const text = () => `${consumer.process.name} ${gets} ${what()}`;
    return [{ weight, text, take: () => channel.deliver(batch, consumer) }];
  }

  private meddling(batch: Batch): Choice[] {
    const { channel, script } = this.world;
    const { lose, repeat, rebatch } = script.weights;
    const what = () => channel.describe(batch);
    return [
      { weight: lose, text: () => `the broker loses ${what()}`, take: () => channel.lose(batch) },
      { weight: repeat, text: () => `the broker repeats ${what()}`, take: () => channel.repeat(batch) },
      { weight: rebatch, text: () => `the broker packs ${what()} anew`, take: () => channel.rebatch(batch) },
    ];
  }

  private wish(client: Client, wish: 'posts' | 'deletes', gateway: Replica): Choice {
    if (wish === 'posts') return this.posting(client, gateway);
    return {
      // Who has waited so long for this does it soon, so that its refund still falls into the bad times.
      weight: client.purchase.impatient ? 3 : 20,
      text: () => `${client.purchase.name} asks ${gateway.process.name} to cancel`,
      take: () => client.delete({ process: gateway.process, orders: gateway.order!.orders }),
    };
  }

  private posting(client: Client, gateway: Replica): Choice {
    return {
      weight: client.answers.length > 0 ? 1 : client.waits && client.purchase.impatient ? 20 : 5,
      text: () => `${client.purchase.name} posts to ${gateway.process.name}`,
      take: () => client.post({ process: gateway.process, orders: gateway.order!.orders }),
    };
  }

  /** What customers and banks may do now, at any time: also when nobody wants their money any more. */
  private verdicts(): Choice[] {
    const { provider, script } = this.world;
    return provider.verdicts.map((verdict) => ({
      weight: script.weights.verdicts,
      text: () => `the charge of ${verdict.kept.amount} is ${verdict.outcome}`,
      take: () => this.world.decide(verdict),
    }));
  }

  /** The provider sends word to payment, and payment to order. Either may be late, and the first one may be lost. */
  private news(): Choice[] {
    const { webhooks, outbox, script } = this.world;
    const replica = this.random.pick(this.world.of('payment'));
    const { name } = replica.process;
    const { verdicts: weight, lose } = script.weights;
    const telling = [
      { weight, text: () => `${name} gets a webhook`, take: () => this.world.tellOf(replica) },
      { weight: lose / 3, text: () => 'a webhook is lost', take: () => void webhooks.shift() },
    ];
    const publishing = { weight: 3, text: () => `${name} publishes`, take: () => this.world.publish(replica) };
    return [...(webhooks.length > 0 ? telling : []), ...(outbox.isFull ? [publishing] : [])];
  }

  private looking(replica: Replica): Choice {
    return {
      weight: 5,
      text: () => `${replica.process.name} looks for ${replica.order ? 'missed deadlines' : 'payments that wait'}`,
      take: () => this.world.look(replica),
    };
  }

  private killing({ process }: Replica): Choice {
    const { weights } = this.world.script;
    return {
      weight: weights.kill / this.world.replicas.length,
      text: () => `${process.name} is killed`,
      take: () => this.world.kill(process),
    };
  }

  private leap(weight: number): Choice {
    const ms = this.world.script.away ? LONG_LEAP_MS : this.random.pick(LEAPS_MS);
    const take = () => {
      this.leaps++;
      this.world.pass(ms);
    };
    return { weight, text: () => `${ms} ms pass`, take };
  }
}
