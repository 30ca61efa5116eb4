/** The text that a service gives to Prometheus, and the list of metrics in docs/metrics.md, as data. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Metric {
  name: string;
  type: string;
  /** In the order of the alphabet. */
  labels: string[];
  help: string;
}

export interface DocumentedMetric extends Metric {
  /** `all`, `all but sandbox`, or names. */
  servedBy: string;
}

export const ROOT = join(__dirname, '../../../..');
/** Not of the metric itself: they tell the parts of a histogram or summary apart. */
const PARTS = ['le', 'quantile'];

/** The metrics by name. Labels are known only where there are samples. */
export function parseMetrics(text: string): Map<string, Metric & { samples: number }> {
  const metrics = new Map<string, Metric & { samples: number }>();
  let last: (Metric & { samples: number }) | undefined;
  for (const line of text.split('\n')) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') metrics.set(name!, (last = { name: name!, help: rest!, type: '', labels: [], samples: 0 }));
    else if (kind === 'TYPE') last!.type = rest!;
    else if (line !== '' && last) {
      last.samples++;
      const labels = [...line.matchAll(/([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"/g)].map(([, label]) => label!);
      last.labels = [...new Set([...last.labels, ...labels.filter((label) => !PARTS.includes(label))])].sort();
    }
  }
  return metrics;
}

/** The rows of the tables: name, type, labels, who serves it, meaning. */
export function documentedMetrics(text = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')): DocumentedMetric[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const cells = line.split('|').map((cell) => cell.trim());
      const [, name, type, labels, servedBy, help] = cells as [string, string, string, string, string, string];
      const names = labels.split(',').map((label) => bare(label.trim()));
      return { name: bare(name), type, labels: names.filter(Boolean).sort(), servedBy, help };
    });
}

export const rowOf = ({ name, type, labels, servedBy, help }: DocumentedMetric): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${servedBy} | ${help} |`;

const bare = (cell: string): string => cell.replaceAll('`', '');
