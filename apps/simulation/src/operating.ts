/** What operators may do next, as choices of the scheduler. */
import type { SeededRandom } from '@shop/testing';
import type { Choice } from './choice';
import type { Desk, Operator } from './operator';
import type { World } from './world';

/** The way back is short, so whoever waits for it is quick. */
const QUICK = 5;

export class Operating {
  constructor(
    private readonly world: World,
    private readonly random: SeededRandom,
  ) {}

  inBadTimes(): Choice[] {
    const { script, operators } = this.world;
    const desks = this.world.doors('order');
    if (!script.holds || desks.length === 0) return [];
    const { hold, release } = script.holds.weights;
    return operators.flatMap((operator) => {
      const { wish, holding } = operator;
      if (!wish) return [];
      const desk = this.deskOf(this.random.pick(desks));
      if (wish === 'releases') return [this.releasing(operator, desk, release)];
      return this.holding(operator, desk, holding.back ? QUICK * hold : hold);
    });
  }

  /** Whatever is held is let go. */
  inCalm(): Choice | undefined {
    const operator = this.world.operators.find(({ need }) => need);
    return operator && this.releasing(operator, this.deskOf(this.world.doors('order')[0]!), 1);
  }

  private holding(operator: Operator, desk: Desk, weight: number): Choice[] {
    const { name, holding, isFree } = operator;
    const isPossible = ({ action }: { action: string }) => !holding.back || action === 'undo';
    const sagas = holding.step || !isFree ? [] : this.world.holds.open.filter(isPossible);
    if (!holding.step && isFree && sagas.length === 0) return [];
    const sagaId = sagas.length > 0 ? this.random.pick(sagas).id : operator.sagaId;
    const what = holding.step ? `each ${holding.step.step}` : sagaId;
    return [
      { weight, text: () => `${name} holds ${what} at ${desk.process.name}`, take: () => operator.hold(desk, sagaId) },
    ];
  }

  private releasing(operator: Operator, desk: Desk, weight: number): Choice {
    const { name, holding, sagaId } = operator;
    const what = holding.step ? `each ${holding.step.step}` : sagaId;
    const text = () => `${name} lets ${what} go at ${desk.process.name}`;
    return { weight, text, take: () => operator.release(desk) };
  }

  private deskOf({ process, order }: ReturnType<World['doors']>[number]): Desk {
    return { process, order: order! };
  }
}
