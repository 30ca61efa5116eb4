/** What the ledgers of the services know of the commands of a saga: which were taken, and how each was answered. */
import { Empty, Notice, Shown } from '../parts/notice';
import { Status, When } from '../parts/words';
import { useAsked } from '../use-asked';

interface Entry {
  id: string;
  step: string;
  action: string;
  service: string;
  state: string;
  answerStatus?: number;
  createdAt: string;
}

interface Ledger {
  items: Entry[];
  degraded: string[];
}

export function LedgerEntries({ path, moves }: { path: string; moves: number }) {
  const ledger = useAsked<Ledger>(path, { version: moves });
  return (
    <section className="card" aria-labelledby="ledger-title">
      <h2 id="ledger-title">Ledger</h2>
      <Shown asked={ledger} what="The ledger">
        {({ items, degraded }) => (
          <>
            {degraded.length > 0 && <Notice kind="warn">Could not be asked: {degraded.join(', ')}.</Notice>}
            {items.length === 0 ? <Empty>No command of it is known.</Empty> : <Entries entries={items} />}
          </>
        )}
      </Shown>
    </section>
  );
}

function Entries({ entries }: { entries: readonly Entry[] }) {
  return (
    <table className="stack">
      <thead>
        <tr>
          <th scope="col">command</th>
          <th scope="col">service</th>
          <th scope="col">result</th>
          <th scope="col">taken</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <th scope="row" title={entry.id}>
              {entry.step} {entry.action === 'undo' && <small>undo</small>}
            </th>
            <td data-label="service">{entry.service}</td>
            <td data-label="result">
              <Status of={resultOf(entry)} />
            </td>
            <td data-label="taken">
              <When at={entry.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function resultOf({ state, answerStatus }: Entry): string {
  if (state !== 'completed') return state;
  return answerStatus !== undefined && answerStatus < 400 ? 'done' : 'refused';
}
