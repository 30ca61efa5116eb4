/** Acts on many sagas, with how far each of them is. */
import { useState } from 'react';
import type { Batch } from '../answers';
import { change } from '../ask';
import { ActDialog } from '../parts/act-dialog';
import { Status, When } from '../parts/words';
import { hrefTo } from '../route';
import { plural, sayCount } from '../say';

export function Batches({ batches, again }: { batches: readonly Batch[]; again: () => void }) {
  return (
    <ul className="list batches">
      {batches.map((batch) => (
        <li key={batch.id}>
          <Status of={batch.status} />
          <a href={hrefTo(['parked', 'batches', batch.id])}>
            {batch.act} {plural(batch.count, 'saga')}
          </a>
          <Progress batch={batch} />
          <span className="quiet">
            {batch.madeBy} {batch.createdAt && <When at={batch.createdAt} />}
          </span>
          {batch.status === 'running' && <StopButton batch={batch} done={again} />}
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

export function StopButton({ batch, done }: { batch: Batch; done: () => void }) {
  const [isAsking, setIsAsking] = useState(false);
  return (
    <>
      <button className="danger" onClick={() => setIsAsking(true)}>
        Stop
      </button>
      {isAsking && (
        <ActDialog
          title={`Stop: ${batch.act} ${plural(batch.count, 'saga')}`}
          confirm="Stop it"
          reason="none"
          dangerous
          close={() => setIsAsking(false)}
          perform={async ({ key }) => {
            await change({ method: 'DELETE', path: `/api/order/saga-batches/${batch.id}`, key });
            done();
          }}
        >
          <p>What was done stays done. The others are left as they are, and it does not go on again.</p>
        </ActDialog>
      )}
    </>
  );
}
