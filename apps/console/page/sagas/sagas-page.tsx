/** Sagas, also ended ones: searched by any id, filtered, page by page, and moving while one looks. */
import { useEffect, useRef, useState } from 'react';
import type { Definition, ListedSaga, Move, Page } from '../answers';
import { Empty, Notice, Shown } from '../parts/notice';
import { hrefWith, type Place } from '../route';
import { useAsked } from '../use-asked';
import { type Line, useEvents } from '../use-events';
import { usePlace } from '../use-place';
import { SagaFilters } from './saga-filters';
import { SagaRows } from './saga-rows';

const LIMIT = '50';
/** Thousands move each second in a busy shop, and nobody reads that fast. */
const AGAIN_AT_MOST_EVERY_MS = 1_000;
/** Where nothing is told, it is asked for. */
const POLL_MS = 5_000;
const FILTERS = ['status', 'definition', 'step', 'reason', 'olderThanSeconds', 'q', 'cursor'] as const;

export function SagasPage() {
  const place = usePlace();
  const definitions = useAsked<{ definitions: Definition[] }>('/api/order/saga-definitions').value?.definitions ?? [];
  const isFirstPage = !place.query.has('cursor');
  const [line, setLine] = useState<Line>('waiting');
  const sagas = useAsked<Page<ListedSaga>>(`/api/order/sagas?${searchOf(place)}`, {
    everyMs: isFirstPage && line !== 'open' ? POLL_MS : undefined,
  });
  const heard = useLiveRows(isFirstPage, sagas.again);
  useEffect(() => setLine(heard), [heard]);
  return (
    <>
      <h1 tabIndex={-1}>Sagas</h1>
      <SagaFilters key={place.query.toString()} place={place} definitions={definitions} />
      <p className="quiet" aria-live="polite">
        {isFirstPage ? (line === 'open' ? '● live' : '○ asked every few seconds') : 'an older page stands still'}
      </p>
      <Shown asked={sagas} what="Sagas">
        {(page) => (
          <>
            {page.degraded && page.degraded.length > 0 && (
              <Notice kind="warn">Some sagas may be missing: {page.degraded.map(sayDegraded).join(', ')}.</Notice>
            )}
            {page.items.length === 0 ? <Empty>No saga is like that.</Empty> : <SagaRows sagas={page.items} />}
            <nav className="pager" aria-label="pages of sagas">
              {!isFirstPage && <a href={hrefWith(place, { cursor: undefined })}>← Newest</a>}
              {page.next && <a href={hrefWith(place, { cursor: page.next })}>Older →</a>}
            </nav>
          </>
        )}
      </Shown>
    </>
  );
}

function searchOf({ query }: Place): string {
  const search = new URLSearchParams({ limit: LIMIT });
  for (const name of FILTERS) {
    const value = query.get(name);
    if (value) search.set(name, value);
  }
  // Whoever searches for an id does not know whether its saga has ended.
  if (search.has('q') && !search.has('status')) search.set('status', 'all');
  return search.toString();
}

/** Asks for the rows again when any saga moves, but not for each of them. */
function useLiveRows(isOn: boolean, again: () => void): Line {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useEvents<Move>(isOn ? '/api/order/sagas/live' : undefined, 'move', () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      again();
    }, AGAIN_AT_MOST_EVERY_MS);
  });
}

const DEGRADED: Record<string, string> = {
  payment: 'payment could not be asked',
  'idempotency-keys': 'the key could be that of a customer who was not looked at',
  'older-orders': 'the customer has very many orders, and only the newest were looked at',
};

const sayDegraded = (part: string): string => DEGRADED[part] ?? part;
