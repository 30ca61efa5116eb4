/** The few kinds of panels that the dashboards are made of, as Grafana wants them. */

export interface Query {
  expr: string;
  /** What a line is called, with labels in double braces. */
  legend?: string;
}

export interface PanelOptions {
  title: string;
  /** What a reader sees here, and what a bad value means. */
  description: string;
  queries: Query[];
  unit?: Unit;
  width?: number;
  height?: number;
  /** Above this it is red. */
  red?: number;
  /** Below this it is red. */
  redBelow?: number;
}

/** Names of Grafana. */
export type Unit = 'short' | 's' | 'ops' | 'reqps' | 'percentunit' | 'bytes' | 'bool_yes_no';

export interface Panel {
  type: string;
  [more: string]: unknown;
}

const SOURCE = { type: 'prometheus', uid: 'prometheus' };
/** Of the whole screen. */
const COLUMNS = 24;

export const graph = (options: PanelOptions): Panel => ({
  ...panelOf('timeseries', { width: 12, height: 8, ...options }),
  options: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
});

/** One number, green or red. */
export const number = (options: PanelOptions): Panel => ({
  ...panelOf('stat', { width: 4, height: 4, ...options }),
  options: { colorMode: 'background', graphMode: 'area', reduceOptions: { calcs: ['lastNotNull'] }, textMode: 'auto' },
});

/** The alerts that fire now. */
export const alerts = (filter: string, width = COLUMNS): Panel => ({
  ...panelOf('table', {
    title: 'Alerts that fire',
    description: 'Each has a heading in docs/runbook.md. Empty is good.',
    queries: [{ expr: `ALERTS{alertstate="firing"${filter}}` }],
    width,
    height: 6,
  }),
  transformations: [
    { id: 'organize', options: { excludeByName: { Time: true, Value: true, __name__: true, alertstate: true } } },
  ],
  options: { showHeader: true },
});

export const row = (title: string): Panel => ({
  type: 'row',
  title,
  collapsed: false,
  panels: [],
  gridPos: { w: COLUMNS, h: 1 },
});

function panelOf(type: string, { title, description, queries, unit, width, height, red, redBelow }: PanelOptions) {
  const steps =
    redBelow !== undefined
      ? [
          { color: 'red', value: null },
          { color: 'green', value: redBelow },
        ]
      : [{ color: 'green', value: null }, ...(red === undefined ? [] : [{ color: 'red', value: red }])];
  return {
    type,
    title,
    description,
    datasource: SOURCE,
    gridPos: { w: width!, h: height! },
    fieldConfig: {
      defaults: { unit: unit ?? 'short', min: 0, thresholds: { mode: 'absolute', steps } },
      overrides: [],
    },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: SOURCE,
      expr,
      legendFormat: legend ?? '__auto',
      ...(type === 'timeseries' ? {} : { instant: true, ...(type === 'table' ? { format: 'table' } : {}) }),
    })),
  };
}

export interface Variable {
  name: string;
  /** The values are those of this label of this metric. */
  metric: string;
  label: string;
}

export interface DashboardOptions {
  uid: string;
  title: string;
  description: string;
  panels: Panel[];
  variables?: Variable[];
}

/** Places the panels from left to right, and numbers them. */
export function dashboard({ uid, title, description, panels, variables = [] }: DashboardOptions): object {
  let x = 0;
  let y = 0;
  let lineHeight = 0;
  const placed = panels.map((panel, index) => {
    const { w, h } = panel['gridPos'] as { w: number; h: number };
    if (x + w > COLUMNS) {
      x = 0;
      y += lineHeight;
      lineHeight = 0;
    }
    const gridPos = { x, y, w, h };
    x += w;
    lineHeight = Math.max(lineHeight, h);
    return { id: index + 1, ...panel, gridPos };
  });
  return {
    uid,
    title,
    description,
    tags: ['shop'],
    timezone: 'browser',
    schemaVersion: 39,
    version: 1,
    editable: false,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    links: [{ type: 'dashboards', title: 'Shop', tags: ['shop'], asDropdown: false, includeVars: false }],
    templating: {
      list: variables.map(({ name, metric, label }) => ({
        name,
        type: 'query',
        datasource: SOURCE,
        query: { query: `label_values(${metric}, ${label})`, refId: name },
        refresh: 2,
        sort: 1,
      })),
    },
    panels: placed,
  };
}

/** Every expression of these dashboards. */
export const exprsIn = (dashboards: object): string[] =>
  [...JSON.stringify(dashboards).matchAll(/"expr":("(?:[^"\\]|\\.)*")/g)].map(
    ([, expr]) => JSON.parse(expr!) as string,
  );
