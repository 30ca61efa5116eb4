/** One act on many: how far it is, and the result of each. */
import type { Batch, BatchRow, Page } from '../answers';
import { hrefWith } from '../route';
import { plural, sayCode } from '../say';
import { useAsked } from '../use-asked';
import { usePlace } from '../use-place';
import type { BatchKind } from './batch-kind';
import { Progress, StopButton } from './batches';
import { Empty, Shown } from './notice';
import { Id, Status, When } from './words';

const OUTCOMES = ['', 'waiting', 'done', 'failed'] as const;

export function BatchPage({ kind, id }: { kind: BatchKind; id: string }) {
  const place = usePlace();
  const path = `${kind.path}/${encodeURIComponent(id)}`;
  const batch = useAsked<Batch>(path, { everyMs: 1_000 });
  const search = new URLSearchParams({ limit: '50' });
  for (const name of ['outcome', 'cursor']) {
    const value = place.query.get(name);
    if (value) search.set(name, value);
  }
  const known = batch.value;
  const rows = useAsked<Page<BatchRow>>(`${path}/rows?${search}`, { version: known ? known.done + known.failed : 0 });
  return (
    <>
      <h1 tabIndex={-1}>Act on many</h1>
      <Shown asked={batch} what="The act">
        {(value) => (
          <section className="card">
            <div className="head">
              <h2>
                {value.act} {plural(value.count, kind.noun)} <Status of={value.status} />
              </h2>
              {value.status === 'running' && <StopButton kind={kind} batch={value} done={batch.again} />}
            </div>
            <Progress batch={value} />
            <p className="quiet">
              {sayFilter(value.filter)}
              {value.ratePerSecond && ` · ${value.ratePerSecond} a second`}
              {value.madeBy && ` · by ${value.madeBy}`} {value.createdAt && <When at={value.createdAt} />}
              {value.reason && ` · “${value.reason}”`}
              {value.stoppedBy && ` · stopped by ${value.stoppedBy}`}
            </p>
          </section>
        )}
      </Shown>
      <nav className="tabs" aria-label="results">
        {OUTCOMES.map((outcome) => (
          <a
            key={outcome}
            href={hrefWith(place, { outcome, cursor: undefined })}
            aria-current={(place.query.get('outcome') ?? '') === outcome ? 'page' : undefined}
          >
            {outcome || 'all'}
          </a>
        ))}
      </nav>
      <Shown asked={rows} what="Results">
        {({ items, next }) => (
          <>
            {items.length === 0 ? <Empty>There is none.</Empty> : <Rows kind={kind} rows={items} />}
            <nav className="pager" aria-label="pages of results">
              {place.query.has('cursor') && <a href={hrefWith(place, { cursor: undefined })}>← First</a>}
              {next && <a href={hrefWith(place, { cursor: next })}>More →</a>}
            </nav>
          </>
        )}
      </Shown>
      <p>
        <a href={kind.from.href}>← {kind.from.title}</a>
      </p>
    </>
  );
}

function Rows({ kind, rows }: { kind: BatchKind; rows: readonly BatchRow[] }) {
  return (
    <table className="stack">
      <thead>
        <tr>
          <th scope="col">{kind.noun}</th>
          <th scope="col">result</th>
          <th scope="col">why</th>
          <th scope="col">when</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const { id, href } = kind.subjectOf(row);
          return (
            <tr key={id}>
              <th scope="row">
                <a href={href}>look</a> <Id of={id} />
              </th>
              <td data-label="result">
                <Status of={row.outcome} />
              </td>
              <td data-label="why">{row.code ? sayCode(row.code) : '–'}</td>
              <td data-label="when">
                <When at={row.at} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const sayFilter = (filter: Batch['filter'] = {}): string =>
  Object.entries(filter)
    .map(([name, value]) => `${name} ${value ?? 'not known'}`)
    .join(', ');
