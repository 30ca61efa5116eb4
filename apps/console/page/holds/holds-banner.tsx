/** Says on every page that something is held: otherwise nobody would know why nothing moves. */
import type { StepHold } from '../answers';
import { plural } from '../say';
import { hrefTo } from '../route';
import { useAsked } from '../use-asked';

const LOOK_EVERY_MS = 10_000;

export function HoldsBanner() {
  const { value } = useAsked<{ holds: StepHold[] }>('/api/order/saga-holds', { everyMs: LOOK_EVERY_MS });
  const holds = value?.holds ?? [];
  if (holds.length === 0) return null;
  return (
    <div className="banner" role="status">
      <strong>{plural(holds.length, 'step is', 'steps are')} held</strong>{' '}
      {holds.map(({ definition, step }) => `${definition} / ${step}`).join(', ')} <a href={hrefTo(['holds'])}>Look</a>
    </div>
  );
}
