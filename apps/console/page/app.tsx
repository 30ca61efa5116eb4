/** The frame around every page: who is signed in, where one can go, and what holds everywhere. */
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { change, onSignedOut, read, type Refusal } from './ask';
import { DeadLetterPage } from './dead-letters/dead-letter-page';
import { DeadLettersPage } from './dead-letters/dead-letters-page';
import { letterBatches } from './dead-letters/letter-batches';
import { HoldsBanner } from './holds/holds-banner';
import { HoldsPage } from './holds/holds-page';
import { OverviewPage } from './overview/overview-page';
import { ParkedPage } from './parked/parked-page';
import { sagaBatches } from './parked/saga-batches';
import { BatchPage } from './parts/batch-page';
import { Notice } from './parts/notice';
import { hrefTo, type Place } from './route';
import { SagaPage } from './saga/saga-page';
import { SagasPage } from './sagas/sagas-page';
import { HereContext, type Session, type Settings } from './session';
import { SignInPage } from './sign-in-page';
import { ThemeButton } from './theme-button';
import { usePlace } from './use-place';

const pages = [
  ['overview', 'Overview'],
  ['sagas', 'Sagas'],
  ['parked', 'Parked'],
  ['dead-letters', 'Dead letters'],
  ['holds', 'Holds'],
] as const;

type Known = { session: Session; settings: Settings } | 'stranger' | 'asking' | Refusal;

export function App() {
  const [known, setKnown] = useState<Known>('asking');
  const ask = useCallback(async () => {
    try {
      const session = await read<Session>('/session');
      setKnown({ session, settings: await read<Settings>('/settings') });
    } catch (error) {
      const refusal = error as Refusal;
      setKnown(refusal.status === 401 ? 'stranger' : refusal);
    }
  }, []);
  useEffect(() => {
    onSignedOut(() => setKnown('stranger'));
    void ask();
  }, [ask]);
  if (known === 'asking') return null;
  if (known === 'stranger') return <SignInPage signedIn={() => void ask()} />;
  if (known instanceof Error) {
    return (
      <main className="alone">
        <Notice kind="bad">
          {known.message} <button onClick={() => void ask()}>Ask again</button>
        </Notice>
      </main>
    );
  }
  const signOut = () => void change({ method: 'DELETE', path: '/session' }).then(() => setKnown('stranger'));
  return (
    <HereContext value={{ ...known, signOut }}>
      <Frame />
    </HereContext>
  );
}

function Frame() {
  const place = usePlace();
  const [first = 'overview'] = place.parts;
  const main = useRef<HTMLElement>(null);
  const address = place.parts.join('/');
  const isFirst = useRef(true);
  useEffect(() => {
    const heading = main.current?.querySelector('h1');
    document.title = `${heading?.textContent ?? 'Console'} · Shop console`;
    // Who goes to another page by keyboard goes on there; the first page is read from its top.
    if (!isFirst.current) heading?.focus();
    isFirst.current = false;
  }, [address]);
  return (
    <>
      <header className="top">
        <a
          className="skip"
          href={location.hash || '#/'}
          onClick={(event) => {
            event.preventDefault();
            main.current?.querySelector('h1')?.focus();
          }}
        >
          To the content
        </a>
        <a className="brand" href={hrefTo([])}>
          <img src="/favicon.svg" alt="" width="24" height="24" /> Shop console
        </a>
        <nav aria-label="pages">
          {pages.map(([name, title]) => (
            <a key={name} href={hrefTo([name])} aria-current={name === first ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <Tools />
      </header>
      <HoldsBanner />
      <main ref={main}>{pageAt(place, first)}</main>
    </>
  );
}

function Tools() {
  return (
    <div className="tools">
      <ThemeButton />
      <HereContext.Consumer>
        {(here) => (
          <button onClick={here?.signOut} title={`signed in with the key ${here?.session.mark}`}>
            Sign out
          </button>
        )}
      </HereContext.Consumer>
    </div>
  );
}

function pageAt({ parts }: Place, first: string): ReactNode {
  const [, id, more, last] = parts;
  switch (first) {
    case 'overview':
      return <OverviewPage />;
    case 'sagas':
      return id ? <SagaPage key={id} id={id} /> : <SagasPage />;
    case 'parked':
      return id === 'batches' && more ? <BatchPage key={more} kind={sagaBatches} id={more} /> : <ParkedPage />;
    case 'dead-letters':
      if (id && more === 'batches' && last) return <BatchPage key={last} kind={letterBatches(id)} id={last} />;
      return id && more ? <DeadLetterPage key={more} service={id} id={more} /> : <DeadLettersPage />;
    case 'holds':
      return <HoldsPage />;
    default:
      return (
        <>
          <h1 tabIndex={-1}>Nothing is here</h1>
          <p>
            The console has no such page. <a href={hrefTo([])}>Go to the overview</a>
          </p>
        </>
      );
  }
}
