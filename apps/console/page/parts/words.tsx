/** Small things that every page shows: a status, an id, a time. */
import { useState } from 'react';
import { sayCode, sayWhen } from '../say';
import { useNow } from '../use-place';

const KIND: Record<string, string> = {
  running: 'busy',
  compensating: 'warn',
  parked: 'bad',
  held: 'held',
  completed: 'good',
  compensated: 'off',
  open: 'busy',
  replayed: 'good',
  discarded: 'off',
  done: 'good',
  failed: 'bad',
  stopped: 'off',
  ended: 'good',
  waiting: 'busy',
  pending: 'busy',
  processing: 'busy',
  cancelling: 'warn',
  confirmed: 'good',
  succeeded: 'good',
  authorized: 'busy',
  requires_action: 'warn',
  handed_over: 'good',
  delivered: 'good',
  declined: 'warn',
  refused: 'warn',
  erased: 'off',
};

export const Status = ({ of }: { of: string }) => <span className={`status ${KIND[of] ?? ''}`}>{sayCode(of)}</span>;

/** An id is long: its beginning and end tell it from others, and a click takes all of it. */
export function Id({ of }: { of: string }) {
  const [taken, setTaken] = useState(false);
  const short = of.length > 18 ? `${of.slice(0, 8)}…${of.slice(-6)}` : of;
  const take = async () => {
    await navigator.clipboard?.writeText(of).catch(() => undefined);
    setTaken(true);
    setTimeout(() => setTaken(false), 1_500);
  };
  return (
    <button className="id" title={`${of}: copy`} onClick={() => void take()}>
      {taken ? 'copied' : short}
    </button>
  );
}

/** How long ago, or until; the exact time is shown when pointed at. */
export function When({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (!at) return <>–</>;
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {sayWhen(Date.parse(at), now)}
    </time>
  );
}
