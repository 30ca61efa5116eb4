/** What the server tells without being asked: server-sent events, opened again when they end. */
import { useEffect, useRef, useState } from 'react';

export type Line = 'open' | 'waiting' | 'away';

/** The browser itself tries again after an interruption, but not after a refusal. */
const AGAIN_AFTER_MS = 5_000;

/** @param path nothing is opened while it is undefined */
export function useEvents<T>(path: string | undefined, event: string, tell: (data: T) => void): Line {
  const [line, setLine] = useState<Line>('waiting');
  const listener = useRef(tell);
  listener.current = tell;
  useEffect(() => {
    if (path === undefined) return undefined;
    let source: EventSource;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const open = () => {
      source = new EventSource(path);
      source.addEventListener('open', () => setLine('open'));
      source.addEventListener(event, (message) =>
        listener.current(JSON.parse((message as MessageEvent<string>).data) as T),
      );
      source.addEventListener('error', () => {
        setLine('away');
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_AFTER_MS);
      });
    };
    open();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [path, event]);
  return line;
}
