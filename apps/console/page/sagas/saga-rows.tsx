/** Sagas as rows of a table; one that has just moved lights up. */
import { useEffect, useRef } from 'react';
import type { ListedSaga } from '../answers';
import { Id, Status, When } from '../parts/words';
import { hrefTo } from '../route';
import { sayCode } from '../say';

export function SagaRows({ sagas }: { sagas: readonly ListedSaga[] }) {
  const moved = useMoved(sagas);
  return (
    <table className="stack rows">
      <thead>
        <tr>
          <th scope="col">saga</th>
          <th scope="col">status</th>
          <th scope="col">at</th>
          <th scope="col">why</th>
          <th scope="col">order</th>
          <th scope="col">customer</th>
          <th scope="col">moved</th>
          <th scope="col">deadline</th>
        </tr>
      </thead>
      <tbody>
        {sagas.map((saga) => (
          <tr key={`${saga.id} ${saga.updatedAt}`} className={moved.has(saga.id) ? 'has-moved' : ''}>
            <th scope="row">
              <a href={hrefTo(['sagas', saga.id])}>{saga.definition}</a> <small>v{saga.version}</small>
            </th>
            <td data-label="status">
              <Status of={saga.held ? 'held' : saga.status} />
            </td>
            <td data-label="at">
              {saga.step}
              {saga.action === 'undo' && <small> undo</small>}
              {saga.attempt > 1 && <small> · try {saga.attempt}</small>}
            </td>
            <td data-label="why">{whyOf(saga)}</td>
            <td data-label="order">{saga.orderId ? <Id of={saga.orderId} /> : '–'}</td>
            <td data-label="customer" className="clip">
              {saga.customerId ?? '–'}
            </td>
            <td data-label="moved">
              <When at={saga.updatedAt} />
            </td>
            <td data-label="deadline">{saga.deadlineAt ? <When at={saga.deadlineAt} /> : '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Why it stands where it stands; for one that is parked, that counts more than why it turned back. */
function whyOf({ held, waiting, parkedReason, reason }: ListedSaga): string {
  if (held) return held.reason;
  if (waiting) return `waits for the ${waiting.for}`;
  const code = parkedReason ?? reason;
  return code ? sayCode(code) : '–';
}

/** Those that have moved since the rows were shown before. */
function useMoved(sagas: readonly ListedSaga[]): ReadonlySet<string> {
  const known = useRef(new Map<string, string>());
  const before = known.current;
  useEffect(() => {
    known.current = new Map(sagas.map(({ id, updatedAt }) => [id, updatedAt]));
  }, [sagas]);
  if (before.size === 0) return new Set();
  return new Set(sagas.filter(({ id, updatedAt }) => before.get(id) !== updatedAt).map(({ id }) => id));
}
