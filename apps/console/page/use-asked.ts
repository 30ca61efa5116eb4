/** A value that a page shows: asked for when the page opens, again from time to time, and kept while nobody answers. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { read, Refusal } from './ask';

export interface Asked<T> {
  value: T | undefined;
  /** Why the last question was not answered. There may be a value of an earlier one. */
  refusal: Refusal | undefined;
  /** Asks again now. */
  again: () => void;
}

interface Known<T> {
  path: string | undefined;
  value?: T;
  refusal?: Refusal;
}

export interface Again {
  everyMs?: number;
  /** When it changes, the value may be another one. */
  version?: number;
}

/** @param path nothing is asked while it is undefined */
export function useAsked<T>(path: string | undefined, { everyMs, version }: Again = {}): Asked<T> {
  const [known, setKnown] = useState<Known<T>>({ path });
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((last) => last + 1), []);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (path === undefined) return undefined;
    const leaving = new AbortController();
    const later = () => {
      if (everyMs !== undefined && !leaving.signal.aborted) timer.current = setTimeout(again, everyMs);
    };
    read<T>(path, leaving.signal)
      .then(
        (value) => setKnown({ path, value }),
        (error: unknown) => {
          if (leaving.signal.aborted) return;
          const refusal = error instanceof Refusal ? error : new Refusal(0, 'unknown', String(error));
          setKnown((last) => ({ path, value: last.path === path ? last.value : undefined, refusal }));
        },
      )
      .finally(later);
    return () => {
      leaving.abort();
      clearTimeout(timer.current);
    };
  }, [path, round, everyMs, version, again]);
  const isOfThisPath = known.path === path;
  return { value: isOfThisPath ? known.value : undefined, refusal: isOfThisPath ? known.refusal : undefined, again };
}
