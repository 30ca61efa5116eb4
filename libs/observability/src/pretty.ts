/** The log for people at a terminal: one coloured line for each decision, and transitions as arrows. */
import pretty from 'pino-pretty';
import { printable, printableLines } from './printable';

interface Line {
  service?: string;
  [field: string]: unknown;
}

interface Colors {
  bold: (text: string) => string;
  cyan: (text: string) => string;
  gray: (text: string) => string;
  green: (text: string) => string;
  magenta: (text: string) => string;
  red: (text: string) => string;
  yellow: (text: string) => string;
}

/** The pretty printer itself or `messageOf` already shows these fields. */
const SHOWN = new Set(['level', 'time', 'service', 'event', 'err', 'stack']);
const SERVICE_WIDTH = 9;

export function prettyStream(colour: boolean) {
  return pretty({
    colorize: colour,
    messageKey: 'event',
    translateTime: 'HH:MM:ss.l',
    hideObject: true,
    // Other fields are fields like any other. These have a meaning of their own for the printer.
    ignore: 'name,pid,hostname,caller,type',
    messageFormat: (line, key, _label, extras) => messageOf(line, key, extras.colors),
    sync: true,
  });
}

/** The line with nothing in it that a terminal obeys, wherever it stands: names, values, what is nested. */
export function harmless(json: string): string {
  const { err, stack, ...line } = JSON.parse(json) as Line;
  const stacks = { err: err && { stack: linesOf((err as Stacked).stack) }, stack: linesOf(stack) };
  return `${JSON.stringify({ ...(printed(line) as Line), ...stacks })}\n`;
}

interface Stacked {
  stack?: unknown;
}

function printed(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(printed);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [printable(name), printed(part)]));
}

/** Indented, so that no line of an error looks like a line of the log. */
const linesOf = (stack: unknown): string | undefined =>
  typeof stack === 'string' ? printableLines(stack).replaceAll(/^/gm, '    ') : undefined;

function messageOf(line: Line, key: string, colors: Colors): string {
  const service = colors.magenta(String(line.service ?? '').padEnd(SERVICE_WIDTH));
  const event = textOf(line[key] ?? '');
  if (typeof line['from'] === 'string' && typeof line['to'] === 'string') {
    return `${service} ${colors.bold(event)} ${transitionOf(line, colors)}`;
  }
  const rest = Object.entries(line).filter(([field]) => !SHOWN.has(field));
  const fields = rest.map(([field, value]) => `${field}=${textOf(value)}`).join(' ');
  return `${service} ${colors.bold(event)} ${colors.gray(fields)}${failureOf(line)}`;
}

function transitionOf(line: Line, colors: Colors): string {
  const to = String(line['to']);
  const paint =
    to === 'completed' ? colors.green : to === 'parked' ? colors.red : isUndo(to) ? colors.yellow : colors.cyan;
  const details = ['by', 'reason', 'result', 'paymentId', 'parked'].filter((field) => line[field] !== undefined);
  const facts = [
    `order ${String(line['orderId'])}`,
    ...(Number(line['attempt']) > 1 ? [`attempt ${String(line['attempt'])}`] : []),
    ...details.map((field) => `${field} ${String(line[field])}`),
    `${String(line['durationMs'])} ms`,
  ];
  return `${String(line['saga'])} ${String(line['from'])} → ${paint(to)}  ${colors.gray(facts.join(', '))}`;
}

const isUndo = (position: string): boolean => position.endsWith('.undo') || position === 'compensated';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function failureOf({ err, stack }: Line): string {
  const text = (err as Stacked | undefined)?.stack ?? stack;
  return typeof text === 'string' ? `\n${text}` : '';
}
