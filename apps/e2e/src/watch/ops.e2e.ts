/** The files in `ops`: rules that do what they say, dashboards, and a page for whoever is woken up. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPrometheus } from '@shop/stack';
import { expectKeptFile } from '@shop/testing';
import { dashboards } from './dashboards';
import { documentedMetrics, ROOT } from './metrics-text';
import { exprsIn } from './panels';

const FETCH_TIMEOUT_MS = 200_000;
const PROMETHEUS = join(ROOT, 'ops/prometheus');
const rules = readFileSync(join(PROMETHEUS, 'rules.yml'), 'utf8');
const alertNames = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
const exprs = [...rules.matchAll(/^ +expr: (.+(?:\n {10}.+)*)$/gm)].map(([, expr]) => expr!);

/** Words that stand where a metric would stand. */
const PROMQL = new Set(
  `sum max min avg count max_over_time by without rate increase changes deriv absent topk histogram_quantile time or and unless on ignoring vector label_values bool`.split(
    ' ',
  ),
);
/** Of Prometheus itself. */
const GIVEN = ['up', 'ALERTS'];

/** The metrics that an expression names. */
function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring) *\([^)]*\)/g, '');
  return [...bare.matchAll(/(?<![\w.])[a-zA-Z_]\w*/g)].map(([word]) => word).filter((word) => !PROMQL.has(word));
}

const known = new Set(GIVEN);
for (const { name, type } of documentedMetrics()) {
  known.add(name);
  if (type === 'histogram') for (const part of ['bucket', 'sum', 'count']) known.add(`${name}_${part}`);
}
const unknownIn = (expr: string) => metricsIn(expr).filter((name) => !known.has(name));

describe('R50 the alerts', () => {
  it(
    'R50 fire when they should and not before, as promtool finds',
    async () => {
      const promtool = await findPrometheus('promtool');
      const run = (...args: string[]) => promisify(execFile)(promtool, args, { cwd: PROMETHEUS });
      await run('check', 'config', 'prometheus.yml');
      const { stdout } = await run('test', 'rules', 'rules.test.yml');
      expect(stdout).toContain('SUCCESS');
    },
    FETCH_TIMEOUT_MS,
  );

  it('R50 have a test each', () => {
    const tests = readFileSync(join(PROMETHEUS, 'rules.test.yml'), 'utf8');
    const fires = (name: string) => tests.includes(`'ALERTS{alertname="${name}"`);
    expect(alertNames.length).toBeGreaterThan(20);
    expect(alertNames.filter((name) => !fires(name))).toEqual([]);
  });

  it('R50 name metrics that are in docs/metrics.md', () => {
    expect(exprs).toHaveLength(alertNames.length);
    expect(exprs.flatMap(unknownIn)).toEqual([]);
  });

  it('R50 have a heading in docs/runbook.md each, to which they lead, and no heading is of an alert that is gone', () => {
    const runbook = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');
    const headings = [...runbook.matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading!);
    expect([...headings].sort()).toEqual([...alertNames].sort());
    const links = [...rules.matchAll(/runbook_url: docs\/runbook\.md#(\w+)/g)].map(([, link]) => link);
    expect(links).toEqual(alertNames.map((name) => name.toLowerCase()));
    // What it means, how to look, what to do.
    const sections = runbook
      .split(/^### /m)
      .slice(1)
      .filter((section) => alertNames.includes(section.split('\n', 1)[0]!));
    const incomplete = sections.filter(
      (text) => !/\*\*Means\.\*\*/.test(text) || !/\*\*Look\.\*\*/.test(text) || !/\*\*Do\.\*\*/.test(text),
    );
    expect(incomplete.map((text) => text.split('\n', 1)[0])).toEqual([]);
  });
});

describe('R51 the metrics of the synthetic order', () => {
  it('R51 are in docs/metrics.md as they are in the code', () => {
    const folder = join(ROOT, 'apps/auditor/src');
    const source = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    const made = source.flatMap((text) => [...text.matchAll(/\b(gauge|counter)\(\s*'(\w+)',\s*'([^']*)'/g)]);
    const documented = documentedMetrics().filter(({ servedBy }) => servedBy === 'auditor');
    const described = documented.map(({ name, type, help }) => `${type} ${name} ${help}`);
    expect(described.sort()).toEqual(made.map(([, type, name, help]) => `${type} ${name} ${help}`).sort());
  });
});

describe('R50 the dashboards', () => {
  it.each(Object.keys(dashboards))('R50 %s is in the repository as it is in the code', (name) => {
    const file = join(ROOT, 'ops/grafana/dashboards', `${name}.json`);
    const cure = { project: '@shop/e2e', pattern: 'watch/ops', variable: 'UPDATE_DASHBOARDS' };
    expectKeptFile(file, `${JSON.stringify(dashboards[name], null, 2)}\n`, cure);
  });

  it('R50 show metrics that are in docs/metrics.md', () => {
    const shown = exprsIn(dashboards);
    const variables = [...JSON.stringify(dashboards).matchAll(/label_values\((\w+), /g)].map(([, metric]) => metric!);
    expect(shown.length).toBeGreaterThan(40);
    expect([...shown, ...variables].flatMap(unknownIn)).toEqual([]);
  });

  it('R50 are all that Grafana gets', () => {
    const files = readdirSync(join(ROOT, 'ops/grafana/dashboards'));
    expect(files.sort()).toEqual(Object.keys(dashboards).map((name) => `${name}.json`));
  });
});

describe('R51 the job of Kubernetes', () => {
  const job = readFileSync(join(ROOT, 'ops/kubernetes/synthetic-order.yml'), 'utf8');

  it('R51 sets only variables that there are, and runs what was built', () => {
    const configuration = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
    const names = [...job.matchAll(/name: ([A-Z_]+),/g)].map(([, name]) => name!);
    expect(names).toContain('ORDER_URL');
    expect(names.filter((name) => !configuration.includes(`\`${name}\``))).toEqual([]);
    const [, program] = /command: \[node, --enable-source-maps, ([\w./]+), --once\]/.exec(job)!;
    expect(existsSync(join(ROOT, program!))).toBe(true);
  });
});
