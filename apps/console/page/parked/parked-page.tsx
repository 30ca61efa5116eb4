/** What waits for a person: parked sagas by step and reason, acts on all of a group, and how earlier ones went. */
import { useState } from 'react';
import type { Batch, Page, SagaGroup } from '../answers';
import { BatchDialog } from '../parts/batch-dialog';
import { Batches } from '../parts/batches';
import { Empty, Shown } from '../parts/notice';
import { When } from '../parts/words';
import { hrefTo } from '../route';
import { plural, sayCode, sayCount } from '../say';
import { useAsked } from '../use-asked';
import { sagaBatches } from './saga-batches';

export function ParkedPage() {
  const groups = useAsked<{ groups: SagaGroup[] }>('/api/order/sagas/groups?status=parked', { everyMs: 5_000 });
  const batches = useAsked<Page<Batch>>(`${sagaBatches.path}?limit=20`, { everyMs: 2_000 });
  const [wanted, setWanted] = useState<SagaGroup>();
  const again = () => {
    groups.again();
    batches.again();
  };
  return (
    <>
      <h1 tabIndex={-1}>Parked</h1>
      <p className="lead">
        These sagas wait for a person. Sagas that stopped at the same step for the same reason stand together.{' '}
        <a href={hrefTo(['sagas'], { status: 'parked' })}>See each of them</a>
      </p>
      <section className="card" aria-label="groups">
        <Shown asked={groups} what="Groups of parked sagas">
          {({ groups: found }) =>
            found.length === 0 ? <Empty>Nothing is parked.</Empty> : <Groups groups={found} want={setWanted} />
          }
        </Shown>
      </section>
      <section className="card" aria-labelledby="batches-title">
        <h2 id="batches-title">Acts on many</h2>
        <Shown asked={batches} what="Acts on many">
          {({ items }) =>
            items.length === 0 ? (
              <Empty>Nobody has acted on many at once yet.</Empty>
            ) : (
              <Batches kind={sagaBatches} batches={items} again={again} />
            )
          }
        </Shown>
      </section>
      {wanted && <GroupDialog group={wanted} close={() => setWanted(undefined)} done={again} />}
    </>
  );
}

function GroupDialog({ group, ...rest }: { group: SagaGroup; close: () => void; done: () => void }) {
  const { definition, step, action, reason, count } = group;
  const filter = { status: 'parked', definition, step, action, ...(reason && { reason }) };
  return (
    <BatchDialog kind={sagaBatches} filter={filter} shown={count} noun="parked saga" {...rest}>
      {definition}: {step} {action === 'undo' && 'undo'}
      {reason && ` · ${sayCode(reason)}`}
    </BatchDialog>
  );
}

function Groups({ groups, want }: { groups: readonly SagaGroup[]; want: (group: SagaGroup) => void }) {
  return (
    <table className="stack">
      <thead>
        <tr>
          <th scope="col">step</th>
          <th scope="col">reason</th>
          <th scope="col" className="number">
            sagas
          </th>
          <th scope="col">first</th>
          <th scope="col">last</th>
          <th scope="col">
            <span className="hidden">acts</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => {
          const { definition, step, action, reason, count, firstAt, lastAt } = group;
          const query = { status: 'parked', definition, step, reason: reason ?? undefined };
          return (
            <tr key={`${definition} ${step} ${action} ${reason}`}>
              <th scope="row">
                {step} {action === 'undo' && <small>undo</small>} <small>{definition}</small>
              </th>
              <td data-label="reason">{reason ? sayCode(reason) : '–'}</td>
              <td className="number" data-label="sagas">
                {sayCount(count)}
              </td>
              <td data-label="first">
                <When at={firstAt} />
              </td>
              <td data-label="last">
                <When at={lastAt} />
              </td>
              <td className="buttons">
                <a href={hrefTo(['sagas'], query)}>Look</a>
                <button onClick={() => want(group)}>Act on {plural(count, 'saga')} …</button>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
