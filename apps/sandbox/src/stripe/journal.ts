/** Keeps entries in a JSON-lines file, so that killing the sandbox at any moment loses no charge. */
import { appendFileSync, ftruncateSync, openSync, readFileSync } from 'node:fs';

export interface Journal<Entry> {
  /** What earlier runs wrote, in order. */
  entries: Entry[];
  /** Returns after the kernel has the line: a killed process loses nothing, but a power cut may lose lines. */
  append(entry: Entry): void;
  clear(): void;
}

export function openJournal<Entry>(file: string | undefined): Journal<Entry> {
  if (file === undefined) return { entries: [], append: () => undefined, clear: () => undefined };
  const descriptor = openSync(file, 'a+');
  const content = readFileSync(file);
  // A kill in the middle of a write leaves half a line. Its request was never answered, so it never happened.
  const length = content.lastIndexOf('\n') + 1;
  ftruncateSync(descriptor, length);
  return {
    entries: parse(content.toString('utf8', 0, length), file),
    append: (entry) => appendFileSync(descriptor, `${JSON.stringify(entry)}\n`),
    clear: () => ftruncateSync(descriptor, 0),
  };
}

function parse<Entry>(text: string, file: string): Entry[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as Entry;
    } catch (cause) {
      throw new Error(`line ${index + 1} of ${file} is not an entry of the sandbox`, { cause });
    }
  });
}
