/** Calls `stop` once, after Ctrl-C, a signal, or the end of our parent. */

/** How often to check that the parent, such as npm, still runs; a killed parent sends no signal. */
const LOOK_AT_PARENT_MS = 500;

export function stopInOrder(stop: () => void): void {
  let asked = false;
  const ask = (): void => {
    if (asked) return;
    asked = true;
    stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && ask(), LOOK_AT_PARENT_MS).unref();
}
