/** What clients and the keepers of the stock may do next, as choices of the scheduler. */
import type { SeededRandom } from '@shop/testing';
import type { Client, Wish } from './client';
import type { Keeper } from './keeper';
import type { Choice } from './choice';
import type { Replica } from './replicas';
import type { World } from './world';

/** In the calm, of so many times that it could cancel, it does so once. */
const HESITATION = 3;
/** Who cancels when its order is so far does it before it gets farther. */
const TIMELY = 60;
/** Who has waited so long for this does it soon, so that its refund still falls into the bad times. */
const SOON = 20;

export class Wishing {
  constructor(
    private readonly world: World,
    private readonly random: SeededRandom,
  ) {}

  inBadTimes(): Choice[] {
    const { clients, keepers, provider, progresses } = this.world;
    const { isPaid } = provider;
    const ofClients = clients.flatMap((client) =>
      client.wishes(isPaid, progresses).flatMap((wish) => {
        const doors = this.doorsFor(wish);
        return doors.length > 0 ? [this.wish(client, wish, this.random.pick(doors))] : [];
      }),
    );
    const booking = keepers.filter(({ request, calls }) => request.mayAsk && calls.count < 2);
    return [
      ...ofClients,
      ...booking.map((keeper) => this.booking(keeper, this.random.pick(this.world.of('inventory')))),
    ];
  }

  /** The next request of somebody who has no answer. */
  inCalm(): Choice | undefined {
    for (const client of this.world.clients) {
      const { need } = client;
      if (need) return this.wish(client, need, this.doorsFor(need)[0]!);
    }
    const { clients, progresses } = this.world;
    const late = clients.find((client) => client.isStillToCancel(progresses) && this.random.int(HESITATION) === 0);
    if (late) return this.wish(late, 'deletes', this.doorsFor('deletes')[0]!);
    const keeper = this.world.keepers.find(({ request, calls }) => !request.isAnswered && calls.count === 0);
    return keeper && this.booking(keeper, this.world.of('inventory')[0]!);
  }

  /** Everybody asks once more. */
  again(): Choice[] {
    const [inventory, order] = [this.world.of('inventory')[0]!, this.world.of('order')[0]!];
    return [
      ...this.world.clients
        .filter(({ reserver }) => reserver)
        .map((client) => this.wish(client, 'reserves', inventory)),
      ...this.world.clients.map((client) => this.wish(client, 'posts', order)),
      ...this.world.keepers.map((keeper) => this.booking(keeper, inventory)),
    ];
  }

  private doorsFor(wish: Wish): Replica[] {
    return this.world.doors(wish === 'reserves' || wish === 'gives back' ? 'inventory' : 'order');
  }

  private wish(client: Client, wish: Wish, { process, order, inventory }: Replica): Choice {
    const { name, purchase, reserver } = client;
    switch (wish) {
      case 'posts':
        return {
          weight: client.order.isAnswered ? 1 : this.isUrgent(client) ? 20 : 5,
          text: () => `${name} posts to ${process.name}`,
          take: () => client.post({ process, orders: order!.orders }),
        };
      case 'deletes':
        return {
          weight: purchase.impatient ? 3 : purchase.cancelsWhen ? TIMELY : SOON,
          text: () => `${name} asks ${process.name} to cancel`,
          take: () => client.delete({ process, orders: order!.orders }),
        };
      case 'reserves':
        return {
          weight: reserver!.request.isAnswered ? 1 : 8,
          text: () => `${name} reserves at ${process.name}`,
          take: () => reserver!.ask({ process, inventory: inventory! }),
        };
      case 'gives back':
        return {
          weight: 2,
          text: () => `${name} gives its reservation back to ${process.name}`,
          take: () => reserver!.giveBack({ process, inventory: inventory! }),
        };
    }
  }

  /** It does not wait for an answer, or somebody else is about to get the same. */
  private isUrgent({ waits, purchase: { name, impatient, cart, borrows, reserves } }: Client): boolean {
    if (waits) return impatient;
    return this.world.clients
      .filter((other) => other.order.isUnderWay)
      .some(({ purchase: other }) => {
        const sameCart = cart !== undefined && cart === other.cart;
        return sameCart || borrows === other.name || (reserves !== undefined && other.borrows === name);
      });
  }

  private booking(keeper: Keeper, { process, inventory }: Replica): Choice {
    return {
      weight: 2,
      text: () => `${process.name} is told of the arrival of ${keeper.text}`,
      take: () => keeper.ask({ process, inventory: inventory! }),
    };
  }
}
