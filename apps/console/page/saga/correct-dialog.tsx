/** Sends the command that was refused once more, with a body that a person has corrected. */
import { useState } from 'react';
import type { Saga } from '../answers';
import { change } from '../ask';
import { ActDialog } from '../parts/act-dialog';
import { changedMembers } from './corrected';

interface Props {
  saga: Saga;
  /** The members that may be changed, as they are. */
  body: Record<string, unknown>;
  done: () => void;
  close: () => void;
}

export function CorrectDialog({ saga, body, done, close }: Props) {
  const [text, setText] = useState(() => JSON.stringify(body, undefined, 2));
  const changed = changedMembers(body, text);
  const names = Object.keys(changed ?? {});
  return (
    <ActDialog
      title={`Send ${saga.step} with a corrected body`}
      confirm="Send it"
      reason="needed"
      dangerous
      blocked={
        changed === undefined ? 'This is no JSON object.' : names.length === 0 ? 'Nothing is changed yet.' : undefined
      }
      close={close}
      perform={async ({ reason, key }) => {
        const path = `/api/order/sagas/${saga.id}/acts`;
        await change({ method: 'POST', path, body: { act: 'retry', reason, body: changed }, key });
        done();
      }}
    >
      <Consequences
        sentences={[
          'The command is sent under a new id, with this body. A reply to the old one no longer counts.',
          'Who did it, why and which members were changed is kept for good.',
          ...(names.length > 0 ? [`You change: ${names.join(', ')}.`] : []),
        ]}
      />
      <label className="field">
        <span>Its body, as JSON</span>
        <textarea rows={8} value={text} spellCheck={false} onChange={(event) => setText(event.target.value)} />
      </label>
    </ActDialog>
  );
}

export function Consequences({ sentences }: { sentences: readonly string[] }) {
  return (
    <ul className="consequences">
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}
