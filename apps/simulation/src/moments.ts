/** When the timers of the services have something to do next. */
import type { Statement } from '@shop/postgres';
import type { Service } from './service';
import type { World } from './world';

export interface Moment {
  service: Service;
  at: Date;
}

/** At most one for each service. */
export async function nextMoments({ databases, script, clock, carrier }: World): Promise<Moment[]> {
  const { tenant } = script;
  const moments: Moment[] = [];
  const { shipments } = carrier;
  const out = shipments.filter(({ status }) => status !== 'recalled').map(({ reference }) => reference);
  const ask = async (service: Service, statement: Statement, values: unknown[]) => {
    const [row] = await databases[service].query<{ at: Date | null }>(statement, values);
    if (row?.at) moments.push({ service, at: row.at });
  };
  await ask('order', selectNextDeadline, [tenant]);
  if (script.holds) await ask('order', selectNextRelease, [tenant, clock.iso]);
  await ask('payment', selectNextCheck, [tenant]);
  await ask('fulfilment', selectNextFollowing, [tenant, out]);
  if (script.shop) await ask('inventory', selectNextExpiry, [tenant, clock.iso]);
  return moments;
}

const selectNextCheck: Statement = {
  name: 'simulation.next-check',
  text: 'select min(check_at) as at from payment where tenant = $1',
};

/**
 * A delivery that was stopped is looked at for a day, in case a request comes late. Where none has come, the first looks
 * are enough, because in the calm nothing is late any more.
 */
const selectNextFollowing: Statement = {
  name: 'simulation.next-following',
  text: `
    select min(at) as at from (
      select min(next_at) as at from delivery
      where tenant = $1 and (ended_at is null or next_at < ended_at + interval '5 minutes' or id = any($2::text[]))
      union all
      select min(next_attempt_at) from notification where tenant = $1 and status in ('queued', 'sending')
      union all
      select min(due_at) from heard_order where tenant = $1
      union all
      select min(r.heard_at) + interval '2 seconds'
      from heard_refund r join heard_order using (tenant, order_id) where tenant = $1 and not done and due_at is null
    ) as moments`,
};

/** In a parked run, the pieces of a saga may be held for days. */
const selectNextExpiry: Statement = {
  name: 'simulation.next-expiry',
  text: `
    select min(expires_at) as at from reservation
    where tenant = $1 and status = 'open' and expires_at < $2::timestamptz + interval '1 day'`,
};

const selectNextDeadline: Statement = {
  name: 'simulation.next-deadline',
  text: `
    select min(deadline_at) as at from saga
    where status in ('running', 'compensating') and data ->> 'tenant' = $1
      and (held is null or (held ->> 'version')::int <> version)`,
};

/** Who has stopped at a held step is let go within a second of its release. */
const selectNextRelease: Statement = {
  name: 'simulation.next-release',
  text: `
    select min($2::timestamptz + interval '1 second') as at from saga
    where status in ('running', 'compensating') and data ->> 'tenant' = $1 and held ? 'step'
      and (held ->> 'version')::int = version`,
};
