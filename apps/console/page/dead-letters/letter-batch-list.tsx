/** The acts on many dead letters of a service that run or ran last. */
import type { Batch, Page } from '../answers';
import { Batches } from '../parts/batches';
import { Shown } from '../parts/notice';
import { useAsked } from '../use-asked';
import { letterBatches } from './letter-batches';

export function LetterBatches({ service, limit }: { service: string; limit: number }) {
  const kind = letterBatches(service);
  const batches = useAsked<Page<Batch>>(`${kind.path}?limit=${limit}`, { everyMs: 5_000 });
  return (
    <Shown asked={batches} what={`Acts on many of ${service}`}>
      {({ items }) =>
        items.length > 0 && (
          <>
            <h3>Acts on many</h3>
            <Batches kind={kind} batches={items} again={batches.again} />
          </>
        )
      }
    </Shown>
  );
}
