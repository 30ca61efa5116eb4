/** Is it healthy, at a glance: figures of the whole system, and of the sagas of one's own shop. */
import { useState } from 'react';
import type { CensusGroup } from '../answers';
import { Chart } from '../parts/chart';
import { Notice, Shown } from '../parts/notice';
import { sayCount, sayRate, saySeconds } from '../say';
import { useHere } from '../session';
import { type Asked, useAsked } from '../use-asked';
import { useEvents } from '../use-events';
import { Census } from '../sagas/census';
import type { Figures, Overview, Point } from './figures';
import { Endings, Services, StepTimes, Waiting } from './sections';

/** As many as the server keeps. */
const MAX_POINTS = 450;

export function OverviewPage() {
  const { session, settings } = useHere();
  const canSee = session.isPlatform && settings.hasFigures;
  return (
    <>
      <h1 tabIndex={-1}>Overview</h1>
      {canSee ? <WholeSystem /> : <NoFigures isPlatform={session.isPlatform} />}
      <OwnSagas />
    </>
  );
}

function NoFigures({ isPlatform }: { isPlatform: boolean }) {
  return (
    <Notice kind="info">
      {isPlatform
        ? 'This console was not told where the metrics are (CONSOLE_METRICS), so it has no charts.'
        : 'The figures of the whole system are for keys with the role platform. Here are the sagas of your shop.'}
    </Notice>
  );
}

function OwnSagas() {
  const census = useAsked<{ at: string; groups: CensusGroup[] }>('/api/order/sagas/census', { everyMs: 5_000 });
  return (
    <section className="card" aria-labelledby="census-title">
      <h2 id="census-title">Where the open sagas of your shop are</h2>
      <Shown asked={census} what="Sagas by step">
        {({ at, groups }) => <Census at={at} groups={groups} />}
      </Shown>
    </section>
  );
}

function WholeSystem() {
  const { figures, isLive } = useFigures();
  return (
    <Shown asked={figures} what="Figures">
      {({ overview, points }) => (
        <>
          {!isLive && (
            <Notice kind="warn">The console has lost its line to the server; these figures stand still.</Notice>
          )}
          <Tiles overview={overview} />
          <Charts points={points} />
          <div className="grid two">
            <Services overview={overview} />
            <Waiting overview={overview} />
            <StepTimes overview={overview} />
            <Endings overview={overview} />
          </div>
        </>
      )}
    </Shown>
  );
}

/** All of it once, and then each look of the server as it happens. */
function useFigures(): { figures: Asked<Figures>; isLive: boolean } {
  const first = useAsked<Figures>('/figures');
  const [news, setNews] = useState<{ overview: Overview; points: Point[] }>({ overview: undefined!, points: [] });
  const line = useEvents<Overview>('/figures/live', 'figures', (overview) =>
    setNews(({ points }) => ({ overview, points: overview.point ? [...points, overview.point] : points })),
  );
  if (!first.value || !news.overview) return { figures: first, isLive: line !== 'away' };
  const from = news.points[0]?.at ?? Infinity;
  const points = [...first.value.points.filter(({ at }) => at < from), ...news.points].slice(-MAX_POINTS);
  return { figures: { ...first, value: { overview: news.overview, points } }, isLive: line !== 'away' };
}

function Tiles({ overview: { point, services, deadLetters, held, mailboxes } }: { overview: Overview }) {
  const letters = deadLetters.reduce((sum, { count }) => sum + count, 0);
  const lag = mailboxes.length === 0 ? null : mailboxes.reduce((sum, { waiting }) => sum + waiting, 0);
  const away = services.filter(({ ready }) => !ready);
  return (
    <ul className="tiles">
      <Tile
        name="Services"
        value={away.length === 0 ? 'all ready' : `${away.length} not ready`}
        kind={away.length === 0 ? 'good' : 'bad'}
      />
      <Tile name="Orders a second" value={sayRate(point?.orders ?? null)} />
      <Tile
        name="Errors a second"
        value={sayRate(point?.errors ?? null)}
        kind={(point?.errors ?? 0) > 0 ? 'bad' : undefined}
      />
      <Tile name="POST /orders, p99" value={saySeconds(point?.p99 ?? null)} />
      <Tile name="In flight" value={sayCount(point?.inFlight)} href="#/sagas" />
      <Tile name="Parked" value={sayCount(point?.parked)} kind={point?.parked ? 'bad' : 'good'} href="#/parked" />
      <Tile name="Dead letters" value={sayCount(letters)} kind={letters > 0 ? 'bad' : 'good'} href="#/dead-letters" />
      <Tile name="Waiting in mailboxes" value={sayCount(lag)} />
      {held !== null && held > 0 && <Tile name="Held" value={sayCount(held)} kind="held" href="#/holds" />}
    </ul>
  );
}

function Tile({ name, value, kind, href }: { name: string; value: string; kind?: string; href?: string }) {
  const content = (
    <>
      <span>{name}</span>
      <strong>{value}</strong>
    </>
  );
  return <li className={`tile ${kind ?? ''}`}>{href ? <a href={href}>{content}</a> : content}</li>;
}

function Charts({ points }: { points: readonly Point[] }) {
  const at = points.map((point) => point.at / 1_000);
  const of = (name: keyof Point) => points.map((point) => point[name]);
  return (
    <div className="grid two">
      <Chart
        title="Orders a second"
        at={at}
        say={sayRate}
        lines={[
          { label: 'begun', colour: '--accent', values: of('orders') },
          { label: 'confirmed', colour: '--good', values: of('confirmed') },
          { label: 'cancelled', colour: '--warn', values: of('cancelled') },
        ]}
      />
      <Chart
        title="Answer to POST /orders"
        at={at}
        say={saySeconds}
        lines={[
          { label: 'p50', colour: '--accent', values: of('p50') },
          { label: 'p99', colour: '--warn', values: of('p99') },
        ]}
      />
      <Chart
        title="Sagas"
        whole
        at={at}
        say={(value) => sayCount(Math.round(value))}
        lines={[
          { label: 'in flight', colour: '--accent', values: of('inFlight') },
          { label: 'parked', colour: '--bad', values: of('parked') },
        ]}
      />
      <Chart
        title="Requests a second"
        at={at}
        say={sayRate}
        lines={[
          { label: 'all', colour: '--accent', values: of('requests') },
          { label: 'errors', colour: '--bad', values: of('errors') },
        ]}
      />
    </div>
  );
}
