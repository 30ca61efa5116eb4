/** The log of all services in one terminal: it comes as pieces of JSON lines, and goes out as lines for people. */
import { harmless, prettyStream, printableLines } from '@shop/observability';

/** Longer than any line of ours. What has no end is not kept. */
const MAX_LINE_LENGTH = 1_024 * 1_024;

interface Outputs {
  /** Takes a line of JSON. */
  screen: { write: (line: string) => unknown };
  /** For what a service says that is no line of its log, such as its last words. */
  other: { write: (text: string) => unknown };
}

export function terminalLog(
  colour: boolean,
  { screen, other }: Outputs = { screen: prettyStream(colour), other: process.stderr },
): (text: string, pid: number) => void {
  const rests = new Map<number, string>();
  return (text, pid) => {
    const lines = ((rests.get(pid) ?? '') + text).split('\n');
    rests.set(pid, lines.pop()!.slice(0, MAX_LINE_LENGTH));
    for (const line of lines) {
      const json = harmlessJson(line);
      if (json !== undefined) screen.write(json);
      else if (line !== '') other.write(`${printableLines(line)}\n`);
    }
  };
}

function harmlessJson(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return harmless(line);
  } catch {
    return undefined;
  }
}
