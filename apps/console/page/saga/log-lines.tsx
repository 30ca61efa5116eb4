/** The log lines about one saga, of all services, and the way to its trace. */
import type { Saga } from '../answers';
import { Empty, Notice, Shown } from '../parts/notice';
import { useHere } from '../session';
import { useAsked } from '../use-asked';

interface LogLine {
  time: string;
  level: string;
  service: string;
  event: string;
  fields: Record<string, unknown>;
}

export function LogLines({ saga, orderId }: { saga: Saga; orderId: string | undefined }) {
  const { session, settings } = useHere();
  const canSee = session.isPlatform && settings.hasLogs;
  const traceId = traceIdOf(saga);
  const ids = [...new Set([saga.id, orderId, traceId].filter((id) => id !== undefined))].join();
  const lines = useAsked<{ lines: LogLine[] }>(canSee ? `/logs?ids=${ids}` : undefined, {
    version: saga.history.length,
  });
  const trace =
    traceId ?? lines.value?.lines.map(({ fields }) => fields['traceId']).find((id) => typeof id === 'string');
  return (
    <section className="card" aria-labelledby="log-title">
      <div className="head">
        <h2 id="log-title">Log</h2>
        <span>
          {typeof trace === 'string' && <Outside href={settings.traceUrl} traceId={trace} name="Trace" />}{' '}
          {typeof trace === 'string' && <Outside href={settings.logUrl} traceId={trace} name="All logs" />}
          {canSee && <button onClick={lines.again}>Read again</button>}
        </span>
      </div>
      {!canSee && (
        <Notice kind="info">
          {settings.hasLogs
            ? 'The log is for keys with the role platform.'
            : 'This console was not told where the logs are (CONSOLE_LOG_DIR).'}
        </Notice>
      )}
      {canSee && (
        <Shown asked={lines} what="The log">
          {({ lines: found }) => (found.length === 0 ? <Empty>No line is about it.</Empty> : <Lines lines={found} />)}
        </Shown>
      )}
    </section>
  );
}

function Lines({ lines }: { lines: readonly LogLine[] }) {
  return (
    <ol className="log" tabIndex={0} aria-label="log lines, oldest first">
      {lines.map(({ time, level, service, event, fields }, index) => (
        <li key={index} className={level}>
          <details>
            <summary>
              <time>{time.slice(11, 23)}</time> <b>{service}</b> {event}
              {level !== 'info' && <em> {level}</em>}
            </summary>
            <pre>{JSON.stringify(fields, undefined, 2)}</pre>
          </details>
        </li>
      ))}
    </ol>
  );
}

function Outside({ href, traceId, name }: { href: string | null; traceId: string; name: string }) {
  if (href === null) return null;
  return (
    <a href={href.replace('{traceId}', encodeURIComponent(traceId))} target="_blank" rel="noreferrer">
      {name} ↗
    </a>
  );
}

const traceIdOf = ({ traceId, traceparent }: Saga): string | undefined => traceId ?? traceparent?.split('-')[1];
