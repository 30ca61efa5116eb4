/** Calls `stop` once, when the terminal, the system or the end of our parent says so. */

/** How often to look whether the parent, such as npm, is still there; killed, it tells nobody. */
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
