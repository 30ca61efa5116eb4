/** Chooses what happens next: at random in bad times, and without any fault in the calm that follows. */
import type { SeededRandom } from '@shop/testing';
import type { Batch, Consumer } from './channel';
import type { Choice } from './choice';
import { Gatekeeper } from './gatekeeper';
import { nextMoments } from './moments';
import { Operating } from './operating';
import { type Service, services } from './service';
import { Wishing } from './wishing';
import type { Replica } from './replicas';
import type { World } from './world';

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

const LOOKED_FOR = {
  order: 'missed deadlines',
  inventory: 'reservations whose time is over',
  payment: 'payments that wait',
  fulfilment: 'what is to follow',
};

const isToLook = ({ mayLook, looks, isStarting }: Replica): boolean => mayLook && !looks && !isStarting;

export class Scheduler {
  readonly trace: string[] = [];
  private readonly wishing: Wishing;
  private readonly operating: Operating;
  private readonly gatekeeper: Gatekeeper;
  private leaps = 0;

  constructor(
    private readonly world: World,
    private readonly random: SeededRandom,
  ) {
    this.wishing = new Wishing(world, random);
    this.operating = new Operating(world, random);
    this.gatekeeper = new Gatekeeper(world.script, random);
  }

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
    // Nobody may remember that pieces have come.
    if (this.world.script.shop) this.world.of('inventory')[0]!.mayLook = true;
    for (let choices = 0; choices < MOST_CALM_CHOICES; choices++) {
      const choice = this.nextInCalm() ?? (await this.sleep());
      if (!choice) return true;
      await this.make(choice);
    }
    return false;
  }

  /** Every client asks once more, and again nothing goes wrong. */
  async repeatAll(): Promise<void> {
    for (const choice of this.wishing.again()) await this.make(choice);
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
    const { channel, stage, replicas, script } = this.world;
    const { weights } = script;
    const isAway = (mailbox: string) => mailbox === `cmd.${script.away}` || mailbox.endsWith(`@${script.away}`);
    const deliverable = channel.deliverable().filter(({ mailbox }) => !isAway(mailbox));
    const arriving = deliverable.flatMap((batch) =>
      this.arrivals(batch, batch === deliverable.at(-1) ? 10 : weights.olderBatches),
    );
    const meddling = channel.waiting.length > 0 ? this.meddling(this.random.pick(channel.waiting)) : [];
    return [
      ...stage.gates.map((gate) => this.gatekeeper.opening(gate)),
      ...arriving,
      ...meddling,
      ...this.wishing.inBadTimes(),
      ...this.operating.inBadTimes(),
      ...replicas.filter(isToLook).map((replica) => this.looking(replica)),
      ...this.verdicts(),
      ...this.news(),
      ...this.parcels(),
      ...replicas.map((replica) => this.killing(replica)),
      ...(this.leaps < MOST_LEAPS ? [this.leap(weights.time)] : []),
    ];
  }

  private nextInCalm(): Choice | undefined {
    const { channel, stage } = this.world;
    if (stage.gates.length > 0) return this.gatekeeper.openingInCalm(this.random.pick(stage.gates));
    const arrivals = channel.deliverable().flatMap((batch) => this.arrivals(batch, 1).slice(0, 1));
    if (arrivals.length > 0) return this.random.pick(arrivals);
    const wish = this.operating.inCalm() ?? this.wishing.inCalm();
    if (wish) return wish;
    const replica = this.world.replicas.find(isToLook);
    if (replica) return this.looking(replica);
    const [news] = this.news();
    if (news) return news;
    const [parcel] = this.parcels();
    if (parcel) return parcel;
    // Whoever is to decide has time until the payment expires, and longer.
    const verdicts = this.verdicts();
    return verdicts.length > 0 && this.random.int(PATIENCE_IN_CALM) === 0 ? this.random.pick(verdicts) : undefined;
  }

  /** Until the next batch is due or a deadline passes. */
  private async sleep(): Promise<Choice | undefined> {
    const { channel, clock } = this.world;
    const moments = await nextMoments(this.world);
    const times = [...channel.waiting.map(({ notBefore }) => notBefore), ...moments.map(({ at }) => at.getTime())];
    if (times.length === 0) return undefined;
    const ms = Math.max(MOMENT_MS, Math.min(...times) - clock.now);
    const end = clock.now + ms + MOMENT_MS;
    const take = () => {
      clock.advance(ms);
      // One is enough, and only where something has an effect.
      for (const { service, at } of moments) if (at.getTime() <= end) this.world.of(service)[0]!.mayLook = true;
    };
    return { weight: 1, text: () => `${ms} ms pass`, take };
  }

  /** What may happen to a batch now, first without a fault; nothing while its consumers have enough work. */
  private arrivals(batch: Batch, weight: number): Choice[] {
    const { channel, replicas, script } = this.world;
    const { mailbox, replica, messages } = batch;
    const what = () => channel.describe(batch);
    const consumers = replicas
      .filter(({ isStarting }) => !isStarting)
      .flatMap((one): Consumer[] => [one, ...one.hears]);
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
      { weight: lose, text: () => `the broker loses ${what()}`, take: () => this.world.lose(batch) },
      { weight: repeat, text: () => `the broker repeats ${what()}`, take: () => channel.repeat(batch) },
      { weight: rebatch, text: () => `the broker packs ${what()} anew`, take: () => channel.rebatch(batch) },
    ];
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

  /** The provider sends word to payment, and services to each other. Either may be late, and the first may be lost. */
  private news(): Choice[] {
    const { webhooks, script, outboxes } = this.world;
    const replica = this.random.pick(this.world.of('payment'));
    const { name } = replica.process;
    const { verdicts: weight, lose } = script.weights;
    const telling = [
      { weight, text: () => `${name} gets a webhook`, take: () => this.world.tellOf(replica) },
      { weight: lose / 3, text: () => 'a webhook is lost', take: () => void webhooks.shift() },
    ];
    const full = services.filter((service) => outboxes[service].isFull);
    return [...(webhooks.length > 0 ? telling : []), ...full.map((service) => this.publishing(service))];
  }

  /** Parcels go on. The carrier sends word of it, which may be late, in any order, repeated or lost. */
  private parcels(): Choice[] {
    const { carrier, script } = this.world;
    const { parcels: weight = 1 } = script.after?.weights ?? {};
    const { lose, repeat } = script.weights;
    const going = carrier.underWay.map((shipment) => ({
      weight,
      text: () => `the parcel of ${shipment.reference} goes on`,
      take: () => carrier.goOn(shipment),
    }));
    if (carrier.news.length === 0) return going;
    const event = this.random.pick(carrier.news);
    const replica = this.random.pick(this.world.of('fulfilment'));
    const what = () => `word of a parcel, ${event.type}`;
    const hear = (isLast: boolean) => {
      if (isLast) carrier.forget(event);
      this.world.hearOf(event, replica);
    };
    return [
      { weight, text: () => `${replica.process.name} gets ${what()}`, take: () => hear(true) },
      {
        weight: (repeat * weight) / 10,
        text: () => `${replica.process.name} gets ${what()} early`,
        take: () => hear(false),
      },
      { weight: (lose * weight) / 5, text: () => `${what()} is lost`, take: () => carrier.forget(event) },
      ...going,
    ];
  }

  private publishing(service: Service): Choice {
    const replica = this.random.pick(this.world.of(service));
    return {
      weight: 3,
      text: () => `${replica.process.name} publishes`,
      take: () => this.world.publish(replica),
    };
  }

  private looking(replica: Replica): Choice {
    return {
      weight: 5,
      text: () => `${replica.process.name} looks for ${LOOKED_FOR[replica.service]}`,
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
