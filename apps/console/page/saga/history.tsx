/** Every move of a saga, the newest first: what happened, to which step, and who did it. */
import type { Transition } from '../answers';
import { When } from '../parts/words';
import { sayLength } from '../say';

const BY_HAND = 'operator.';

export function History({ history }: { history: readonly Transition[] }) {
  return (
    <section className="card" aria-labelledby="history-title">
      <h2 id="history-title">History</h2>
      <ol className="history" reversed>
        {history.toReversed().map((move) => (
          <li key={move.seq} className={move.event.startsWith(BY_HAND) ? 'by-hand' : ''}>
            <div className="head">
              <span>
                <strong>{move.step}</strong> {move.event}
              </span>
              <span className="quiet">
                <When at={move.at} />
                {sayGap(move, history)}
              </span>
            </div>
            <p>
              {move.from && move.from !== move.to ? `${move.from} → ${move.to}` : move.to}
              {move.attempt > 1 && ` · sent ${move.attempt} times`}
            </p>
            <Detail of={move.detail} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** How long the step before it took. */
function sayGap({ seq, at }: Transition, history: readonly Transition[]): string {
  const before = history.find((move) => move.seq === seq - 1);
  return before ? ` · after ${sayLength(Date.parse(at) - Date.parse(before.at))}` : '';
}

function Detail({ of }: { of: unknown }) {
  if (typeof of !== 'object' || of === null) return null;
  const entries = Object.entries(of);
  if (entries.length === 0) return null;
  return (
    <dl className="detail">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
