/** Open sagas by where they are: how many, how old the oldest is, and for how long none has moved. */
import type { CensusGroup } from '../answers';
import { Empty } from '../parts/notice';
import { Status } from '../parts/words';
import { hrefTo } from '../route';
import { sayCount, sayLength } from '../say';

export function Census({ at, groups }: { at: string; groups: readonly CensusGroup[] }) {
  if (groups.length === 0) return <Empty>No saga is open.</Empty>;
  const since = (then: string) => sayLength(Math.max(0, Date.parse(at) - Date.parse(then)));
  return (
    <table className="stack">
      <thead>
        <tr>
          <th scope="col">where</th>
          <th scope="col">status</th>
          <th scope="col" className="number">
            sagas
          </th>
          <th scope="col" className="number">
            oldest
          </th>
          <th scope="col" className="number">
            nothing has moved for
          </th>
        </tr>
      </thead>
      <tbody>
        {groups.map(({ definition, step, action, status, count, oldestAt, lastMovedAt }) => (
          <tr key={`${definition} ${step} ${action} ${status}`}>
            <th scope="row">
              <a href={hrefTo(['sagas'], { definition, step, status })}>
                {step} {action === 'undo' && <small>undo</small>}
              </a>{' '}
              <small>{definition}</small>
            </th>
            <td data-label="status">
              <Status of={status} />
            </td>
            <td className="number" data-label="sagas">
              {sayCount(count)}
            </td>
            <td className="number" data-label="oldest">
              {since(oldestAt)}
            </td>
            <td className="number" data-label="nothing has moved for">
              {since(lastMovedAt)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
