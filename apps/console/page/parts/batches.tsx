/** Acts on many, with how far each of them is. */
import { useState } from 'react';
import type { Batch } from '../answers';
import { change } from '../ask';
import { hrefTo } from '../route';
import { plural, sayCount } from '../say';
import { ActDialog } from './act-dialog';
import type { BatchKind } from './batch-kind';
import { Status, When } from './words';

interface Props {
  kind: BatchKind;
  batches: readonly Batch[];
  again: () => void;
}

export function Batches({ kind, batches, again }: Props) {
  return (
    <ul className="list batches">
      {batches.map((batch) => (
        <li key={batch.id}>
          <Status of={batch.status} />
          <a href={hrefTo([...kind.page, batch.id])}>
            {batch.act} {plural(batch.count, kind.noun)}
          </a>
          <Progress batch={batch} />
          <span className="quiet">
            {batch.madeBy} {batch.createdAt && <When at={batch.createdAt} />}
          </span>
          {batch.status === 'running' && <StopButton kind={kind} batch={batch} done={again} />}
        </li>
      ))}
    </ul>
  );
}

export function Progress({ batch: { count, done, failed } }: { batch: Batch }) {
  const text = `${sayCount(done + failed)} of ${sayCount(count)}${failed > 0 ? `, ${sayCount(failed)} refused` : ''}`;
  return (
    <span className="progress">
      <progress max={count} value={done + failed} aria-label={text} /> {text}
    </span>
  );
}

export function StopButton({ kind, batch, done }: { kind: BatchKind; batch: Batch; done: () => void }) {
  const [isAsking, setIsAsking] = useState(false);
  return (
    <>
      <button className="danger" onClick={() => setIsAsking(true)}>
        Stop
      </button>
      {isAsking && (
        <ActDialog
          title={`Stop: ${batch.act} ${plural(batch.count, kind.noun)}`}
          confirm="Stop it"
          reason="none"
          dangerous
          close={() => setIsAsking(false)}
          perform={async ({ key }) => {
            await change({ method: 'DELETE', path: `${kind.path}/${batch.id}`, key });
            done();
          }}
        >
          <p>What was done stays done. The others are left as they are, and it does not go on again.</p>
        </ActDialog>
      )}
    </>
  );
}
