/** The order service as its neighbours read it, behind a bad connection: what is committed at the moment of the answer. */
import type { Neighbour } from '@shop/fulfilment/testing';
import type { Database, Statement } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { validate } from '@shop/validation';
import { Outside } from './outside';
import type { Process, Stage } from './stage';

type Question = Parameters<Neighbour['read']>[0];

const IDS = /^\/orders\?ids=([^&]+)/;
const PROFILE = /^\/profiles\/(.+)$/;

export class SimulatedNeighbour {
  private readonly outside: Outside;

  constructor(
    private readonly stage: Stage,
    private readonly database: Database,
    /** Those who have left an address. */
    private readonly addressed: readonly string[],
  ) {
    this.outside = new Outside(stage, 'order service');
  }

  /** The order service as one process reaches it. */
  reachedFrom(process: Process): Neighbour {
    const read = async (question: Question) => {
      const what = question.path.replace(/&.*/, '');
      const work = () => this.stage.run(process, () => this.answer(question));
      const call = this.outside.call(process, { what, work });
      const answer = await call.catch((error: Error) => {
        throw new RetryableError('order is away', { cause: error });
      });
      if (answer === undefined) return undefined;
      const seen = validate(question.type, answer, { unknownProperties: 'drop' });
      if (!seen.ok || !question.fits(seen.value)) throw new Error(`the order service would not say so: ${what}`);
      return seen.value;
    };
    return { read } as Neighbour;
  }

  private async answer({ tenant, path }: Question): Promise<object | undefined> {
    const ids = IDS.exec(path)?.[1];
    if (ids !== undefined) return { items: await this.database.query<object>(selectOrders, [tenant, ids.split(',')]) };
    const customer = PROFILE.exec(path)?.[1];
    if (customer === undefined) throw new Error(`nobody answers ${path}`);
    return this.profileOf(decodeURIComponent(customer));
  }

  private profileOf(id: string): object | undefined {
    if (!this.addressed.includes(id)) return undefined;
    const address = { line1: '1 Long Street', city: 'Town', postalCode: '12345', country: 'DE' };
    return { id, displayName: id, email: emailOf(id), locale: 'de', address };
  }
}

export const emailOf = (customer: string): string => `${customer.replaceAll(' ', '-')}@example.com`;

/** As `GET /orders?ids=` shows them to an operator. */
const selectOrders: Statement = {
  name: 'simulation.read-orders',
  text: `
    select id, customer_id as "customerId", placed_by as "placedBy", status, items,
           jsonb_build_object('amount', total_amount, 'currency', total_currency) as total
    from orders where tenant = $1 and id = any($2::uuid[]) order by saga_id`,
};
