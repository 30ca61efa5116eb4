/** Steps at which sagas are held, and those at which they can be. */
import { useState } from 'react';
import { change } from '../ask';
import type { Definition, StepHold } from '../answers';
import { ActDialog } from '../parts/act-dialog';
import { NotAvailable, isUnknownRoute, Shown } from '../parts/notice';
import { When } from '../parts/words';
import { hrefTo } from '../route';
import { plural } from '../say';
import { useAsked } from '../use-asked';

interface Wanted {
  act: 'hold' | 'release';
  definition: string;
  step: string;
}

export function HoldsPage() {
  const holds = useAsked<{ holds: StepHold[] }>('/api/order/saga-holds', { everyMs: 5_000 });
  const definitions = useAsked<{ definitions: Definition[] }>('/api/order/saga-definitions');
  const [wanted, setWanted] = useState<Wanted>();
  if (isUnknownRoute(holds.refusal)) {
    return (
      <>
        <h1 tabIndex={-1}>Holds</h1>
        <NotAvailable what="Holds" />
      </>
    );
  }
  return (
    <>
      <h1 tabIndex={-1}>Holds</h1>
      <p className="lead">
        Hold a step, and no saga sends its command any more: deadlines stand still, replies are kept, and a way back is
        not held. When you release it, what waited goes on at a bounded pace.
      </p>
      <Shown asked={holds} what="Holds">
        {({ holds: held }) => (
          <Shown asked={definitions} what="Saga definitions">
            {({ definitions: known }) => (
              <div className="grid two">
                {newestOf(known).map((definition) => (
                  <StepsOf key={definition.name} definition={definition} held={held} want={setWanted} />
                ))}
              </div>
            )}
          </Shown>
        )}
      </Shown>
      {wanted && <HoldDialog wanted={wanted} close={() => setWanted(undefined)} done={holds.again} />}
    </>
  );
}

/** A hold is for the step of every version. */
function newestOf(definitions: readonly Definition[]): Definition[] {
  const newest = new Map<string, Definition>();
  for (const definition of definitions) {
    if ((newest.get(definition.name)?.version ?? 0) < definition.version) newest.set(definition.name, definition);
  }
  return [...newest.values()];
}

function StepsOf({
  definition: { name, steps },
  held,
  want,
}: {
  definition: Definition;
  held: readonly StepHold[];
  want: (wanted: Wanted) => void;
}) {
  return (
    <section className="card" aria-label={name}>
      <h2>{name}</h2>
      <ol className="steps">
        {steps.map(({ name: step, isPivot, hasUndo }) => {
          const hold = held.find((one) => one.definition === name && one.step === step);
          return (
            <li key={step} className={hold ? 'is-held' : ''}>
              <div>
                <strong>{step}</strong> <small>{isPivot ? 'point of no return' : hasUndo ? 'can be undone' : ''}</small>
                {hold && (
                  <p>
                    <span className="status held">held</span> by {hold.by}, <When at={hold.since} />: {hold.reason}{' '}
                    <a href={hrefTo(['sagas'], { definition: name, step })}>
                      {hold.sagas === undefined ? 'its sagas' : plural(hold.sagas, 'saga stands', 'sagas stand')} there
                    </a>
                  </p>
                )}
              </div>
              <button
                aria-label={`${hold ? 'Release' : 'Hold'} ${step} of ${name}`}
                onClick={() => want({ act: hold ? 'release' : 'hold', definition: name, step })}
              >
                {hold ? 'Release' : 'Hold'}
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function HoldDialog({ wanted, close, done }: { wanted: Wanted; close: () => void; done: () => void }) {
  const { act, definition, step } = wanted;
  const path = `/api/order/saga-holds/${encodeURIComponent(definition)}/${encodeURIComponent(step)}`;
  const isHold = act === 'hold';
  return (
    <ActDialog
      title={isHold ? `Hold ${step} of ${definition}` : `Release ${step} of ${definition}`}
      confirm={isHold ? `Hold ${step}` : `Release ${step}`}
      reason={isHold ? 'needed' : 'none'}
      dangerous={isHold}
      close={close}
      perform={async ({ reason, key }) => {
        await change(isHold ? { method: 'PUT', path, body: { reason }, key } : { method: 'DELETE', path, key });
        done();
      }}
    >
      <p>
        {isHold
          ? `Within a second, no replica sends “${step}” for any saga of ${definition}, of this shop, any more. Orders are still taken and wait. Everybody who opens the console sees it.`
          : `Everything that waits for “${step}” goes on, at a bounded pace, with the time that each deadline had left.`}
      </p>
    </ActDialog>
  );
}
