/** An order's saga as a small picture in text. */
import { printable } from '@shop/observability';

export interface SagaStory {
  definition: string;
  status: string;
  history: { at: string; event: string; from: string; to: string; attempt: number; detail?: Record<string, unknown> }[];
  cancelledBy?: SagaStory;
}

const MS_WIDTH = 7;
const MOVE_WIDTH = 28;

/**
 * One line per transition: milliseconds since the start, the new state, and the reason. Others have written some of it, so
 * nothing is left in it that a terminal would obey.
 */
export function timelineOf(saga: SagaStory): string[] {
  const start = Date.parse(saga.history[0]?.at ?? '');
  const lines = saga.history.map(({ at, event, from, to, attempt, detail }) => {
    const since = `+${Date.parse(at) - start} ms`.padStart(MS_WIDTH + 3);
    const facts = Object.entries(detail ?? {}).map(([name, value]) => `${name} ${String(value)}`);
    const again = attempt > 1 ? [`attempt ${attempt}`] : [];
    return `${since}  ${`${from} → ${to}`.padEnd(MOVE_WIDTH)} ${[event, ...again, ...facts].join(', ')}`;
  });
  return [
    ...lines.map(printable),
    ...(saga.cancelledBy ? ['           then, to give it all back:', ...timelineOf(saga.cancelledBy)] : []),
  ];
}
