/** The timeline of a saga, drawn to scale: a row for each step, with those that are still to come. */
import { useState } from 'react';
import type { Outlook, Saga } from '../answers';
import { openStatuses } from '../answers';
import { sayLength, sayWhen } from '../say';
import { useNow } from '../use-place';
import { type Bar, spanOf, ticksOf, timelineOf } from './timeline';

const KINDS = { do: 'forward', undo: 'back', parked: 'parked', wait: 'waiting' } as const;
interface Props {
  saga: Saga;
  steps: readonly string[];
  outlook: Outlook | undefined;
}

export function TimelineView({ saga, steps, outlook }: Props) {
  const now = useNow();
  const [onlyMoves, setOnlyMoves] = useState(saga.status === 'parked');
  const isOpen = openStatuses.includes(saga.status);
  const timeline = timelineOf(saga, { now, steps, onlyMoves });
  const { deadline } = timeline;
  const isDrawn = deadline !== undefined && deadline <= timeline.to;
  return (
    <section className="card" aria-labelledby="timeline-title">
      <div className="head">
        <h2 id="timeline-title">
          Timeline <small>{sayLength(timeline.to - timeline.from)}, to scale</small>
        </h2>
        {isOpen && (
          <label className="check">
            <input type="checkbox" checked={onlyMoves} onChange={(event) => setOnlyMoves(event.target.checked)} /> until
            its last move only
          </label>
        )}
      </div>
      <div className={`timeline ${outlook?.undo.length ? 'has-undo' : ''}`}>
        <ol>
          {timeline.steps.map(({ name, bars, isToCome }) => (
            <li key={name} className={isToCome ? 'to-come' : ''}>
              <span className="name">{name}</span>
              <span className="lane">
                {bars.map((bar) => (
                  <BarView key={`${bar.from} ${bar.kind}`} bar={bar} whole={timeline} />
                ))}
                {isToCome && <em>{sayToCome(name, saga, outlook)}</em>}
                {isDrawn && (
                  <i
                    className="deadline"
                    style={{ left: `${spanOf({ from: deadline, to: deadline }, timeline).start * 100}%` }}
                  />
                )}
              </span>
              <span className="undo">{outlook?.undo.includes(name) ? 'would be undone' : ''}</span>
            </li>
          ))}
        </ol>
        <div className="scale" aria-hidden="true">
          {ticksOf(timeline).map(({ part, ms }) => (
            <span key={ms} style={{ left: `${part * 100}%` }}>
              {sayLength(ms)}
            </span>
          ))}
        </div>
      </div>
      <p className="quiet">
        <i className="swatch do" /> forward <i className="swatch undo" /> back <i className="swatch parked" /> parked
        {deadline !== undefined && isOpen && (
          <>
            {' · '}
            <i className="swatch deadline" /> deadline {sayWhen(deadline, now)}
          </>
        )}
      </p>
    </section>
  );
}

function BarView({ bar, whole }: { bar: Bar; whole: { from: number; to: number } }) {
  const { start, length } = spanOf(bar, whole);
  const took = sayLength(bar.to - bar.from);
  const tries = bar.attempt > 1 ? `, sent ${bar.attempt} times` : '';
  const ending = bar.isOpen ? 'goes on' : (bar.event ?? '');
  return (
    <span
      className={`bar ${bar.kind} ${bar.isOpen ? 'is-open' : ''}`}
      style={{ left: `${start * 100}%`, width: `${length * 100}%` }}
      title={`${KINDS[bar.kind]}, ${took}${tries}, ${ending}`}
    >
      <span>{took}</span>
    </span>
  );
}

function sayToCome(name: string, { status }: Saga, outlook: Outlook | undefined): string {
  if (outlook) return outlook.todo.includes(name) ? 'still to come' : 'will not be done';
  return status === 'running' || status === 'parked' ? 'still to come' : 'was not done';
}
