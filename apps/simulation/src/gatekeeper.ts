/** How whoever waits at a gate goes on: in bad times the way is chosen together with the gate. */
import type { SeededRandom } from '@shop/testing';
import type { Choice } from './choice';
import type { Script } from './script';
import type { Gate } from './stage';

/** Any gate that does not wait for somebody slow. */
const USUAL_WEIGHT = 10;
/** What nobody waits for any more may come much later: a parcel behind the stop of its delivery. */
const FORGOTTEN_WEIGHT = 0.3;

export class Gatekeeper {
  constructor(
    private readonly script: Script,
    private readonly random: SeededRandom,
  ) {}

  opening(gate: Gate): Choice {
    return { weight: this.weightOf(gate), ...this.through(gate, this.wayThrough(gate)) };
  }

  /** Without a fault. */
  openingInCalm(gate: Gate): Choice {
    return { weight: USUAL_WEIGHT, ...this.through(gate, gate.ways[0]!) };
  }

  private through(gate: Gate, way: string): Pick<Choice, 'text' | 'take'> {
    const what = gate.what ? `${gate.port} (${gate.what})` : gate.port;
    return { text: () => `${gate.process.name}: ${what} ${way}`, take: () => gate.open(way) };
  }

  private weightOf({ port, what }: Gate): number {
    const { weights, after } = this.script;
    if (port === 'transaction' || port === 'open transaction') return USUAL_WEIGHT;
    if (port.endsWith('provider')) return weights.providerSpeed;
    return what.startsWith('forgotten') ? FORGOTTEN_WEIGHT : (after?.weights.speed ?? USUAL_WEIGHT);
  }

  private wayThrough({ port, ways }: Gate): string {
    const { brokenTransactions, pausedTransactions, providerFaults, providerFault } = this.script.weights;
    const { faults = 0, fault } = this.script.after?.weights ?? {};
    const [usual, ...others] = ways as [string, ...string[]];
    const chance = this.random.int(100);
    const [pauses, breaks] = [others.slice(0, 2), others.slice(2)];
    switch (port) {
      case 'transaction':
        if (chance < brokenTransactions) return this.random.pick(breaks);
        return chance < brokenTransactions + pausedTransactions ? this.random.pick(pauses) : usual;
      case 'open transaction':
        return chance < brokenTransactions ? others[0]! : usual;
      case 'carrier':
      case 'mail server':
        if (others.length === 0 || chance >= faults) return usual;
        return fault ?? this.random.pick(others);
      case 'order service':
        return others.length > 0 && !fault && chance < faults ? this.random.pick(others) : usual;
      default:
        if (others.length === 0 || chance >= providerFaults) return usual;
        return providerFault ?? this.random.pick(others);
    }
  }
}
