/** Where somebody is now, and what time it is for them. */
import { useEffect, useState, useSyncExternalStore } from 'react';
import { onMove, type Place, readPlace } from './route';

export function usePlace(): Place {
  const hash = useSyncExternalStore(onMove, () => location.hash);
  return readPlace(hash);
}

/** The time of day, told again every second. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
