/** The parts of the overview below the charts: services, what waits, how long steps take, how sagas end. */
import { Empty } from '../parts/notice';
import { Status } from '../parts/words';
import { plural, sayCode, sayCount, sayRate, saySeconds } from '../say';
import type { Overview } from './figures';

type Props = { overview: Overview };

export function Services({ overview: { services } }: Props) {
  return (
    <section className="card" aria-label="services">
      <h2>Services</h2>
      <ul className="list">
        {services.map(({ service, up, ready, checks }, index) => {
          const why = Object.entries(checks).filter(([, outcome]) => outcome !== 'ok');
          return (
            <li key={`${service} ${index}`}>
              <span className={`status ${ready ? 'good' : 'bad'}`}>
                {ready ? 'ready' : up ? 'not ready' : 'does not answer'}
              </span>
              <strong>{service}</strong>
              <span className="quiet">{why.map(([name, outcome]) => `${name}: ${outcome}`).join('; ')}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

interface Place {
  where: string;
  waiting: number;
  oldest?: number | null;
}

export function Waiting({ overview: { mailboxes, outboxes, deadLetters } }: Props) {
  const places: Place[] = [
    ...deadLetters.map(({ mailbox, count }) => ({ where: `dead letters of ${mailbox}`, waiting: count })),
    ...mailboxes.map(({ mailbox, waiting }) => ({ where: `mailbox ${mailbox}`, waiting })),
    ...outboxes.map(({ service, waiting, oldest }) => ({ where: `outbox of ${service}`, waiting, oldest })),
  ];
  const full = places.filter(({ waiting }) => waiting > 0).sort((one, other) => other.waiting - one.waiting);
  return (
    <section className="card" aria-label="what waits">
      <h2>
        What waits <small>{plural(places.length, 'place is', 'places are')} looked at</small>
      </h2>
      {full.length === 0 ? (
        <Empty>{places.length === 0 ? 'No service tells how much waits for it.' : 'Nothing waits anywhere.'}</Empty>
      ) : (
        <table className="stack">
          <thead>
            <tr>
              <th scope="col">where</th>
              <th scope="col" className="number">
                waiting
              </th>
              <th scope="col" className="number">
                oldest
              </th>
            </tr>
          </thead>
          <tbody>
            {full.map(({ where, waiting, oldest = null }) => (
              <tr key={where}>
                <th scope="row">{where}</th>
                <td className="number" data-label="waiting">
                  {sayCount(waiting)}
                </td>
                <td className="number" data-label="oldest">
                  {saySeconds(oldest)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

export function StepTimes({ overview: { steps, windowSeconds } }: Props) {
  return (
    <section className="card" aria-label="how long steps take">
      <h2>
        How long steps take <small>last {saySeconds(windowSeconds)}</small>
      </h2>
      {steps.length === 0 && <Empty>No step was done.</Empty>}
      {steps.length > 0 && (
        <table className="stack">
          <thead>
            <tr>
              <th scope="col">step</th>
              <th scope="col" className="number">
                a minute
              </th>
              <th scope="col" className="number">
                p50
              </th>
              <th scope="col" className="number">
                p99
              </th>
            </tr>
          </thead>
          <tbody>
            {steps.map(({ saga, step, perMinute, p50, p99 }) => (
              <tr key={`${saga} ${step}`}>
                <th scope="row">
                  {step} <small>{saga}</small>
                </th>
                <td className="number" data-label="a minute">
                  {sayRate(perMinute)}
                </td>
                <td className="number" data-label="p50">
                  {saySeconds(p50)}
                </td>
                <td className="number" data-label="p99">
                  {saySeconds(p99)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

export function Endings({ overview: { endings, windowSeconds } }: Props) {
  const all = endings.reduce((sum, { count }) => sum + count, 0);
  return (
    <section className="card" aria-label="how sagas end">
      <h2>
        How sagas end <small>last {saySeconds(windowSeconds)}</small>
      </h2>
      {endings.length === 0 && <Empty>No saga has ended, or the service does not tell why.</Empty>}
      <ul className="list">
        {endings.map(({ saga, status, reason, count }) => (
          <li key={`${saga} ${status} ${reason}`}>
            <Status of={status} />
            <span>
              {saga} {reason !== 'none' && <em>{sayCode(reason)}</em>}
            </span>
            <meter min={0} max={all} value={count} aria-label={`${count} of ${all}`} />
            <strong className="number">{sayCount(count)}</strong>
          </li>
        ))}
      </ul>
    </section>
  );
}
