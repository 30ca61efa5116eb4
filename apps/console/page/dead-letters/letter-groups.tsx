/** The open dead letters of a service by how they failed, and acts on all of a group. */
import { useState } from 'react';
import type { LetterGroup } from '../answers';
import { BatchDialog } from '../parts/batch-dialog';
import { Shown } from '../parts/notice';
import { When } from '../parts/words';
import { plural, sayCount } from '../say';
import { useAsked } from '../use-asked';
import { letterBatches } from './letter-batches';

export function LetterGroups({ service, acted }: { service: string; acted: () => void }) {
  const groups = useAsked<{ groups: LetterGroup[] }>(`/api/${service}/dead-letters/groups`, { everyMs: 10_000 });
  const [wanted, setWanted] = useState<LetterGroup>();
  const done = () => {
    groups.again();
    acted();
  };
  return (
    <>
      <Shown asked={groups} what={`Groups of ${service}`}>
        {({ groups: found }) =>
          found.length > 0 && (
            <>
              <h3>By how they failed</h3>
              <Groups groups={found} want={setWanted} />
              <h3>One by one</h3>
            </>
          )
        }
      </Shown>
      {wanted && <GroupDialog service={service} group={wanted} close={() => setWanted(undefined)} done={done} />}
    </>
  );
}

interface DialogProps {
  service: string;
  group: LetterGroup;
  close: () => void;
  done: () => void;
}

function GroupDialog({ service, group: { mailbox, type, error, count }, close, done }: DialogProps) {
  const filter = { state: 'open', mailbox, type, error };
  return (
    <BatchDialog
      kind={letterBatches(service)}
      filter={filter}
      shown={count}
      noun="open dead letter"
      close={close}
      done={done}
    >
      {nameOf({ mailbox, type })} · {error}
    </BatchDialog>
  );
}

const nameOf = ({ mailbox, type }: Pick<LetterGroup, 'mailbox' | 'type'>): string => type ?? `not readable, ${mailbox}`;

function Groups({ groups, want }: { groups: readonly LetterGroup[]; want: (group: LetterGroup) => void }) {
  return (
    <table className="stack">
      <thead>
        <tr>
          <th scope="col">kind</th>
          <th scope="col">error</th>
          <th scope="col" className="number">
            letters
          </th>
          <th scope="col">first</th>
          <th scope="col">last</th>
          <th scope="col">
            <span className="hidden">acts</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => {
          const { mailbox, type, error, count, firstAt, lastAt } = group;
          return (
            <tr key={`${mailbox} ${type} ${error}`}>
              <th scope="row">
                {nameOf(group)} {type && <small>{mailbox}</small>}
              </th>
              <td data-label="error" className="clip" title={error}>
                {error}
              </td>
              <td className="number" data-label="letters">
                {sayCount(count)}
              </td>
              <td data-label="first">
                <When at={firstAt} />
              </td>
              <td data-label="last">
                <When at={lastAt} />
              </td>
              <td className="buttons">
                <button onClick={() => want(group)}>Act on {plural(count, 'dead letter')} …</button>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
