/** What an operator can do about one saga: each act says what will happen before it is done. */
import { useState } from 'react';
import type { Outlook, Saga } from '../answers';
import { change } from '../ask';
import { ActDialog } from '../parts/act-dialog';
import { acts, type ActWords, consequencesOf, possibility, sayWhyNot } from './consequences';
import { Consequences, CorrectDialog } from './correct-dialog';

interface Props {
  saga: Saga;
  outlook: Outlook | undefined;
  done: () => void;
}

export function SagaActs({ saga, outlook, done }: Props) {
  const [wanted, setWanted] = useState<ActWords | 'correct'>();
  const correction = outlook?.correction;
  const isShown = ({ act }: ActWords) => (act === 'resume' ? saga.held : act === 'hold' ? !saga.held : true);
  return (
    <div className="buttons" role="group" aria-label="acts">
      {acts.filter(isShown).map((words) => {
        const { possible, why } = possibility(words.act, saga, outlook);
        return (
          <button
            key={words.act}
            className={words.dangerous ? 'danger' : words.act === 'retry' ? 'primary' : ''}
            disabled={!possible}
            title={why ?? words.title}
            onClick={() => setWanted(words)}
          >
            {words.name}
          </button>
        );
      })}
      {saga.status === 'parked' && correction && (
        <button
          disabled={!correction.possible}
          title={correction.why && sayWhyNot(correction.why)}
          onClick={() => setWanted('correct')}
        >
          Retry with a corrected body
        </button>
      )}
      {wanted === 'correct' && (
        <CorrectDialog saga={saga} body={correction?.body ?? {}} done={done} close={() => setWanted(undefined)} />
      )}
      {wanted !== undefined && wanted !== 'correct' && (
        <ActDialog
          title={`${wanted.title}: ${saga.step}`}
          confirm={wanted.name}
          reason={wanted.reason}
          dangerous={wanted.dangerous}
          close={() => setWanted(undefined)}
          perform={async ({ reason, key }) => {
            await change({ method: 'POST', path: pathOf(saga), body: bodyOf(wanted.act, reason), key });
            done();
          }}
        >
          <Consequences sentences={consequencesOf(wanted.act, saga, outlook)} />
        </ActDialog>
      )}
    </div>
  );
}

const pathOf = ({ id }: Saga): string => `/api/order/sagas/${id}/acts`;
const bodyOf = (act: string, reason: string) => (reason === '' ? { act } : { act, reason });
