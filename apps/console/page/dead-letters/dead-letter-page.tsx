/** One dead letter: the message itself, why it failed, what was done about it, and what can be done. */
import { type ReactNode, useState } from 'react';
import type { DeadLetter } from '../answers';
import { change } from '../ask';
import { ActDialog } from '../parts/act-dialog';
import { Shown } from '../parts/notice';
import { Id, Status, When } from '../parts/words';
import { hrefTo } from '../route';
import { plural } from '../say';
import { useAsked } from '../use-asked';

type Act = 'replay' | 'discard';

export function DeadLetterPage({ service, id }: { service: string; id: string }) {
  const path = `/api/${encodeURIComponent(service)}/dead-letters/${encodeURIComponent(id)}`;
  const letter = useAsked<DeadLetter>(path);
  const [wanted, setWanted] = useState<Act>();
  return (
    <>
      <h1 tabIndex={-1}>Dead letter</h1>
      <Shown asked={letter} what="The dead letter">
        {(value) => (
          <>
            <Facts letter={value} service={service} />
            <div className="buttons" role="group" aria-label="acts">
              <button
                className="primary"
                disabled={value.cut}
                title={value.cut ? 'it was too large to be kept whole' : undefined}
                onClick={() => setWanted('replay')}
              >
                Replay
              </button>
              <button className="danger" disabled={value.state === 'discarded'} onClick={() => setWanted('discard')}>
                Discard
              </button>
            </div>
            <section className="card" aria-labelledby="error-title">
              <h2 id="error-title">Last error</h2>
              <pre tabIndex={0}>{value.lastError}</pre>
            </section>
            <section className="card" aria-labelledby="content-title">
              <h2 id="content-title">
                Message <small>{plural(value.size, 'byte')}</small>
              </h2>
              <pre tabIndex={0}>{readable(value.content ?? '')}</pre>
            </section>
          </>
        )}
      </Shown>
      {wanted && <LetterDialog act={wanted} path={path} done={letter.again} close={() => setWanted(undefined)} />}
    </>
  );
}

function Facts({ letter, service }: { letter: DeadLetter; service: string }) {
  const { state, type, mailbox, messageId, saga, deliveries, killed, firstSeenAt, lastSeenAt, acts } = letter;
  const facts: [string, ReactNode][] = [
    ['state', <Status key="state" of={state} />],
    ['service', service],
    ['type', type ?? 'not known'],
    ['mailbox', mailbox],
    ['message', <Id key="message" of={messageId} />],
    [
      'saga',
      saga ? (
        <a key="saga" href={hrefTo(['sagas', saga])}>
          look
        </a>
      ) : (
        'none'
      ),
    ],
    ['delivered', plural(deliveries, 'time')],
    ['ended the process', killed ? 'yes' : 'no'],
    ['first seen', <When key="first" at={firstSeenAt} />],
    ['last seen', <When key="last" at={lastSeenAt} />],
  ];
  return (
    <>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {acts.length > 0 && (
        <ul className="list">
          {acts.map(({ act, by, reason, at }) => (
            <li key={at}>
              <Status of={act} /> by {by}, <When at={at} />: {reason}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

interface DialogProps {
  act: Act;
  path: string;
  done: () => void;
  close: () => void;
}

function LetterDialog({ act, path, done, close }: DialogProps) {
  const isReplay = act === 'replay';
  return (
    <ActDialog
      title={isReplay ? 'Replay the message' : 'Discard the message'}
      confirm={isReplay ? 'Replay' : 'Discard'}
      reason="needed"
      dangerous={!isReplay}
      close={close}
      perform={async ({ reason, key }) => {
        await change({ method: 'POST', path: `${path}/${act}`, body: { reason }, key });
        done();
      }}
    >
      <p>
        {isReplay
          ? 'It is handed to its mailbox again, under its own id. If the cause is not mended, it comes back here.'
          : 'Nothing more is done about it. It can still be read here. A saga that waits for its reply goes on to wait.'}
      </p>
    </ActDialog>
  );
}

function readable(content: string): string {
  try {
    return JSON.stringify(JSON.parse(content), undefined, 2);
  } catch {
    return content;
  }
}
