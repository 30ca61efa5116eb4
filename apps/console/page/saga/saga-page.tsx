/** One saga: where it stands, how it got there, what is to come, what surrounds it, and what can be done about it. */
import { type ReactNode, useEffect, useState } from 'react';
import type { Definition, ListedSaga, Move, Outlook, Page, Saga } from '../answers';
import { openStatuses } from '../answers';
import { NotAvailable, Notice, Shown } from '../parts/notice';
import { Id, Status, When } from '../parts/words';
import { hrefTo } from '../route';
import { sayCode } from '../say';
import { useAsked } from '../use-asked';
import { useEvents } from '../use-events';
import { History } from './history';
import { LedgerEntries } from './ledger-entries';
import { LogLines } from './log-lines';
import { Neighbours } from './neighbours';
import { SagaActs } from './saga-acts';
import { TimelineView } from './timeline-view';

/** Where nothing is told, it is asked for. */
const POLL_MS = 3_000;

export function SagaPage({ id }: { id: string }) {
  const [isOpen, setIsOpen] = useState(true);
  const path = `/api/order/sagas/${encodeURIComponent(id)}`;
  const saga = useAsked<Saga>(path, { everyMs: isOpen ? POLL_MS : undefined });
  const status = saga.value?.status;
  useEffect(() => setIsOpen(status === undefined || openStatuses.includes(status)), [status]);
  useEvents<Move>('/api/order/sagas/live', 'move', ({ sagaId }) => {
    if (sagaId === id) saga.again();
  });
  if (saga.refusal?.code === 'saga_not_found') {
    return (
      <>
        <h1 tabIndex={-1}>No such saga</h1>
        <p>
          There is no saga {id} in your shop. <a href={hrefTo(['sagas'], { q: id })}>Search for what has this id</a>
        </p>
      </>
    );
  }
  return (
    <>
      <h1 tabIndex={-1}>Saga</h1>
      <Shown asked={saga} what="The saga">
        {(value) => <OneSaga saga={value} path={path} again={saga.again} />}
      </Shown>
    </>
  );
}

function OneSaga({ saga, path, again }: { saga: Saga; path: string; again: () => void }) {
  const outlook = useAsked<Outlook>(`${path}/outlook`, { version: saga.history.length });
  const definitions = useAsked<{ definitions: Definition[] }>('/api/order/saga-definitions');
  const orderId = useOrderOf(saga);
  const definition = definitions.value?.definitions.find(
    ({ name, version }) => name === saga.definition && version === saga.version,
  );
  return (
    <>
      <Head saga={saga} orderId={orderId} />
      <SagaActs saga={saga} outlook={outlook.value} done={again} />
      {outlook.refusal && <NotAvailable what="What an act would lead to, holds, and corrected bodies" />}
      <TimelineView
        key={saga.status}
        saga={saga}
        steps={definition?.steps.map(({ name }) => name) ?? []}
        outlook={outlook.value}
      />
      <div className="grid two">
        <History history={saga.history} />
        <div>
          <Neighbours orderId={orderId} moves={saga.history.length} />
          <LedgerEntries path={`${path}/ledger`} moves={saga.history.length} />
          <LogLines saga={saga} orderId={orderId} />
        </div>
      </div>
    </>
  );
}

function Head({ saga, orderId }: { saga: Saga; orderId: string | undefined }) {
  return (
    <>
      <dl className="facts">
        <Fact name="definition">
          {saga.definition} v{saga.version}
        </Fact>
        <Fact name="status">
          <Status of={saga.held ? 'held' : saga.status} />
        </Fact>
        <Fact name="at">
          {saga.step} {saga.action === 'undo' && 'undo'}
        </Fact>
        <Fact name="sent">{saga.attempt === 1 ? 'once' : `${saga.attempt} times`}</Fact>
        <Fact name="deadline">{saga.deadlineAt ? <When at={saga.deadlineAt} /> : 'none'}</Fact>
        {saga.reason && <Fact name="reason">{sayCode(saga.reason)}</Fact>}
        <Fact name="saga">
          <Id of={saga.id} />
        </Fact>
        {orderId && (
          <Fact name="order">
            <Id of={orderId} />
          </Fact>
        )}
      </dl>
      {saga.held && (
        <Notice kind="warn">
          Held by {saga.held.by}, <When at={saga.held.since} />: {saga.held.reason}
        </Notice>
      )}
      {saga.waiting && (
        <Notice kind="info">
          It waits for the {saga.waiting.for}, until <When at={saga.waiting.until} />.
        </Notice>
      )}
    </>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** A saga that places an order has the id of the order; for another one, the search knows it. */
function useOrderOf({ id, definition, orderId }: Saga): string | undefined {
  const known = orderId ?? (definition === 'place-order' ? id : undefined);
  const found = useAsked<Page<ListedSaga>>(known === undefined ? `/api/order/sagas?status=all&q=${id}` : undefined);
  return known ?? found.value?.items.find((saga) => saga.id === id)?.orderId;
}
