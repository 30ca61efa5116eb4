/** Messages that were given up on, of all services. One that is away does not hide those of the others. */
import { type DeadLetter, type Page, type Service, services } from '../answers';
import { Empty, Shown } from '../parts/notice';
import { Id, Status, When } from '../parts/words';
import { hrefTo, hrefWith, type Place } from '../route';
import { useAsked } from '../use-asked';
import { usePlace } from '../use-place';
import { LetterBatches } from './letter-batch-list';
import { LetterGroups } from './letter-groups';

const STATES = ['open', 'replayed', 'discarded', 'all'] as const;

export function DeadLettersPage() {
  const place = usePlace();
  const chosen = place.query.get('state') ?? 'open';
  const one = place.query.get('service');
  return (
    <>
      <h1 tabIndex={-1}>Dead letters</h1>
      <p className="lead">
        A message that could not be worked on, again and again. Replay it when the cause is mended; what was done
        already stays done once.
      </p>
      <nav className="tabs" aria-label="states">
        {STATES.map((state) => (
          <a
            key={state}
            href={hrefWith(place, { state, cursor: undefined })}
            aria-current={state === chosen ? 'page' : undefined}
          >
            {state}
          </a>
        ))}
      </nav>
      {services
        .filter((service) => one === null || service === one)
        .map((service) => (
          <OfService key={`${service} ${chosen}`} service={service} state={chosen} place={place} />
        ))}
    </>
  );
}

function OfService({ service, state, place }: { service: Service; state: string; place: Place }) {
  const isAlone = place.query.get('service') === service;
  const search = new URLSearchParams({ limit: isAlone ? '50' : '10' });
  if (state !== 'all') search.set('state', state);
  const cursor = place.query.get('cursor');
  if (isAlone && cursor) search.set('cursor', cursor);
  const letters = useAsked<Page<DeadLetter>>(`/api/${service}/dead-letters?${search}`, { everyMs: 10_000 });
  // They are of all pages, and only what is open can be acted on.
  const isFirst = !place.query.has('cursor');
  return (
    <section className="card" aria-labelledby={`letters-${service}`}>
      <div className="head">
        <h2 id={`letters-${service}`}>{service}</h2>
        {isAlone && <a href={hrefTo(['dead-letters'], { state })}>All services</a>}
      </div>
      {isFirst && state === 'open' && <LetterGroups service={service} acted={letters.again} />}
      <Shown asked={letters} what={`Dead letters of ${service}`}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty>None.</Empty>
          ) : (
            <>
              <Letters service={service} letters={items} />
              {next && (
                <nav className="pager" aria-label={`pages of dead letters of ${service}`}>
                  {isAlone ? (
                    <a href={hrefWith(place, { cursor: next })}>Older →</a>
                  ) : (
                    <a href={hrefTo(['dead-letters'], { state, service })}>All of {service} →</a>
                  )}
                </nav>
              )}
            </>
          )
        }
      </Shown>
      {isFirst && <LetterBatches service={service} limit={isAlone ? 20 : 3} />}
    </section>
  );
}

function Letters({ service, letters }: { service: Service; letters: readonly DeadLetter[] }) {
  return (
    <table className="stack">
      <thead>
        <tr>
          <th scope="col">message</th>
          <th scope="col">state</th>
          <th scope="col">last error</th>
          <th scope="col">saga</th>
          <th scope="col" className="number">
            tries
          </th>
          <th scope="col">last seen</th>
        </tr>
      </thead>
      <tbody>
        {letters.map((letter) => (
          <tr key={letter.id}>
            <th scope="row">
              <a href={hrefTo(['dead-letters', service, letter.id])}>{letter.type ?? letter.mailbox}</a>
            </th>
            <td data-label="state">
              <Status of={letter.state} />
            </td>
            <td data-label="last error" className="clip">
              {letter.killed ? 'ended the process' : letter.lastError}
            </td>
            <td data-label="saga">{letter.saga ? <Id of={letter.saga} /> : '–'}</td>
            <td className="number" data-label="tries">
              {letter.deliveries}
            </td>
            <td data-label="last seen">
              <When at={letter.lastSeenAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
