/** A chart of a few lines over time. A screen reader is told the newest values instead. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { THEME_CHANGED } from '../theme';

export interface Line {
  label: string;
  /** A custom property of the style sheet, such as `--good`. */
  colour: string;
  values: (number | null)[];
}

export interface ChartProps {
  title: string;
  /** Seconds of the time of day. */
  at: number[];
  lines: Line[];
  say: (value: number) => string;
  /** There are no halves. */
  whole?: boolean;
}

const HEIGHT = 170;

export function Chart({ title, at, lines, say, whole = false }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = [at, ...lines.map(({ values }) => values)] as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const shape = lines.map(({ label, colour }) => `${label} ${colour}`).join();
  useEffect(() => {
    const element = frame.current!;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(element, { lines, say, whole }), latest.current, element);
    };
    draw();
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    sized.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    addEventListener(THEME_CHANGED, draw);
    return () => {
      sized.disconnect();
      scheme.removeEventListener('change', draw);
      removeEventListener(THEME_CHANGED, draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
    // The lines are drawn anew only when they are other lines.
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [data]);
  return (
    <figure className="chart">
      <figcaption>
        <strong>{title}</strong>
        {lines.map(({ label, colour, values }) => (
          <span key={label} className="key">
            <i className={`swatch ${colour.slice(2)}`} /> {label} <b>{sayNewest(values, say)}</b>
          </span>
        ))}
      </figcaption>
      <div ref={frame} aria-hidden="true" />
    </figure>
  );
}

function sayNewest(values: (number | null)[], say: (value: number) => string): string {
  const newest = values.at(-1);
  return newest === null || newest === undefined ? '–' : say(newest);
}

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000];

const sayTime = (seconds: number): string => new Date(seconds * 1_000).toLocaleTimeString('en-GB');

function optionsOf(element: HTMLElement, { lines, say, whole }: Omit<ChartProps, 'title' | 'at'>): uPlot.Options {
  const { fontFamily } = getComputedStyle(element);
  const colour = (name: string) => colourOf(element, name);
  const axis = {
    stroke: colour('--quiet'),
    font: `11px ${fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, size: 28, values: (_, values) => values.map(sayTime) },
      { ...axis, size: 56, incrs: whole ? WHOLE : undefined, values: (_, values) => values.map(say) },
    ],
    series: [
      {},
      ...lines.map((line) => ({ label: line.label, stroke: colour(line.colour), width: 2, points: { show: false } })),
    ],
  };
}

/** As a canvas takes it: the custom property has one colour for light and one for dark. */
function colourOf(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = '';
  return color;
}
