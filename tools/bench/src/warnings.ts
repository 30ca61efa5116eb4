/** Counts the warnings in the services' logs, by event. */

const AT_WARN_OR_ABOVE = /"level":"(?:warn|error|fatal)".*?"event":"([^"]+)"/;

export class Warnings {
  readonly counts: Record<string, number> = {};
  /** By process: the beginning of a line whose end has not come yet. */
  private readonly begun = new Map<number, string>();

  /** The next piece of a process's log of JSON lines. */
  read(text: string, pid: number): void {
    const lines = ((this.begun.get(pid) ?? '') + text).split('\n');
    this.begun.set(pid, lines.pop()!);
    for (const line of lines) {
      const event = AT_WARN_OR_ABOVE.exec(line)?.[1];
      if (event) this.counts[event] = (this.counts[event] ?? 0) + 1;
    }
  }
}
