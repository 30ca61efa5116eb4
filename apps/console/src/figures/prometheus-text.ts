/** Reads the text in which a process shows its metrics, as far as the console needs it. Pure. */
export interface Sample {
  /** The name and labels as the process wrote them. */
  key: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED: Record<string, string> = { n: '\n', '"': '"', '\\': '\\' };
/** What one process may show at most. It keeps the memory of the console bounded whatever answers. */
const MAX_SAMPLES = 20_000;

/** The samples whose name is wanted. Lines that cannot be read are left out: a newer process may write others. */
export function readSamples(text: string, isWanted: (name: string) => boolean): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#') || !isWanted(nameOf(line))) continue;
    const [, name, labels = '', number] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const value = valueOf(number!);
    if (value === undefined) continue;
    samples.push({ key: `${name}{${labels}}`, name, labels: labelsIn(labels), value });
    if (samples.length === MAX_SAMPLES) break;
  }
  return samples;
}

const nameOf = (line: string): string => line.slice(0, line.search(/[{ ]/));

function labelsIn(text: string): Record<string, string> {
  const found = [...text.matchAll(LABEL)].map(([, name, value]) => [name, unescaped(value!)]);
  return Object.fromEntries(found) as Record<string, string>;
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, (whole, mark: string) => ESCAPED[mark] ?? whole);

/** `NaN` says that there is no value. */
function valueOf(text: string): number | undefined {
  if (text === '+Inf') return Infinity;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
