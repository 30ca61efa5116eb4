/** Shows how far a backfill is: as a bar on a terminal, and as lines anywhere else. */
import { printable } from '@shop/observability';
import { SingleBar } from 'cli-progress';
import type { Backfill } from './backfills';
import { durationOf, PaceOfWork } from './pace-of-work';

export interface Progress {
  show(backfill: Backfill, atMs: number): void;
  /** The last line stays where it is. */
  end(): void;
}

/** A log with a line each second would be in the way of everything else. */
const LINE_EVERY_MS = 10_000;

export function barOn(stream: NodeJS.WriteStream): Progress {
  const pace = new PaceOfWork();
  const bar = new SingleBar({
    stream,
    format: (_options, _params, { text }: { text: string }) => text,
    hideCursor: true,
    // Ctrl-C is answered by whoever watches.
    gracefulExit: false,
  });
  let isShown = false;
  return {
    show(backfill, atMs) {
      pace.see(atMs, backfill.worked);
      const text = `${barOf(backfill)}${told(backfill, pace)}`;
      if (isShown) bar.update(backfill.worked, { text });
      else bar.start(totalOf(backfill), backfill.worked, { text });
      isShown = true;
    },
    end: () => bar.stop(),
  };
}

export function linesTo(write: (line: string) => void): Progress {
  const pace = new PaceOfWork();
  let last: { atMs: number; status: string } | undefined;
  return {
    show(backfill, atMs) {
      pace.see(atMs, backfill.worked);
      if (last?.status === backfill.status && atMs - last.atMs < LINE_EVERY_MS) return;
      last = { atMs, status: backfill.status };
      write(`${backfill.name}: ${told(backfill, pace)}`);
    },
    end: () => undefined,
  };
}

const BAR_WIDTH = 30;

/** Nobody knows how long the way is: then there is no bar. */
function barOf({ worked, estimate, status }: Backfill): string {
  if (estimate === null) return '';
  const part = status === 'done' ? 1 : Math.min(1, worked / Math.max(1, estimate));
  const full = Math.floor(part * BAR_WIDTH);
  return `[${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}] `;
}

const totalOf = ({ worked, estimate }: Backfill): number => Math.max(worked, estimate ?? 0);

/** The same for both. */
export function told(backfill: Backfill, pace: PaceOfWork): string {
  const { status, worked, lastError } = backfill;
  const parts = [status, shareOf(backfill)];
  const { perSecond } = pace;
  const left = pace.secondsLeft(worked, backfill.estimate);
  if (status === 'running' && perSecond !== undefined) parts.push(`${numberOf(Math.round(perSecond))} rows/s`);
  if (status === 'running' && left !== undefined) parts.push(`about ${durationOf(left)} left`);
  if (lastError !== null) parts.push(lastError);
  return printable(parts.join(', '));
}

export function shareOf({ status, worked, estimate }: Backfill): string {
  const rows = `${numberOf(worked)} ${worked === 1 ? 'row' : 'rows'}`;
  // The estimate was made at the beginning. There may be more by now, and then it says nothing any more.
  if (estimate === null || worked >= estimate || status === 'done') return rows;
  const percent = Math.floor((100 * worked) / estimate);
  return `${numberOf(worked)} of about ${numberOf(estimate)} rows (${percent} %)`;
}

export const numberOf = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');
