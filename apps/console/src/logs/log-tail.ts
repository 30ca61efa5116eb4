/** The last log lines about something, from files of JSON lines: only the end of a file is read, and only some of it shown. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface LogLine {
  time: string;
  level: string;
  service: string;
  event: string;
  /** All else that the line says. */
  fields: Record<string, unknown>;
}

/** About so many lines: some minutes of a busy service. */
const TAIL_BYTES = 4 * 1_024 * 1_024;
const MAX_LINES = 200;
const MAX_FILES = 32;
const FILE = /^[a-z][\w.-]*\.log$/;

/** The newest lines that contain one of the ids, oldest first. */
export async function linesAbout(folder: string, ids: readonly string[]): Promise<LogLine[]> {
  const names = (await readdir(folder)).filter((name) => FILE.test(name)).slice(0, MAX_FILES);
  const found = await Promise.all(names.map((name) => tailOf(join(folder, name))));
  return found
    .flatMap((text) => readLines(text, ids))
    .sort((one, other) => one.time.localeCompare(other.time))
    .slice(-MAX_LINES);
}

/** The first line of the end of a file is cut, and then no JSON. */
export function readLines(text: string, ids: readonly string[]): LogLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && ids.some((id) => line.includes(id)))
    .flatMap((line) => lineOf(line) ?? []);
}

function lineOf(text: string): LogLine | undefined {
  try {
    const { time, level, service, event, ...fields } = JSON.parse(text) as Record<string, unknown>;
    return { time: String(time), level: String(level), service: String(service), event: String(event), fields };
  } catch {
    return undefined;
  }
}

async function tailOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}
