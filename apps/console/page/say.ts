/** Times, lengths and amounts in words. Pure. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `340 ms`, `4.2 s`, `3 min`, `2 h 5 min`, `3 d`. */
export function sayLength(ms: number): string {
  if (ms < 0) return sayLength(-ms);
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < 2 * MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < DAY) return withRest(ms, HOUR, 'h', MINUTE, 'min');
  return withRest(ms, DAY, 'd', HOUR, 'h');
}

function withRest(ms: number, unit: number, name: string, part: number, partName: string): string {
  const whole = Math.floor(ms / unit);
  const rest = Math.floor((ms - whole * unit) / part);
  return rest === 0 || whole >= 10 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${partName}`;
}

/** `4 s ago`, `in 3 min`. */
export function sayWhen(at: number, now: number): string {
  const away = at - now;
  if (Math.abs(away) < SECOND) return 'now';
  return away < 0 ? `${sayLength(away)} ago` : `in ${sayLength(away)}`;
}

export const saySeconds = (seconds: number | null): string => (seconds === null ? '–' : sayLength(seconds * SECOND));

export function sayRate(perSecond: number | null): string {
  if (perSecond === null) return '–';
  return perSecond >= 100 ? String(Math.round(perSecond)) : perSecond.toFixed(perSecond >= 10 ? 1 : 2);
}

export const sayCount = (count: number | null | undefined): string =>
  count === null || count === undefined ? '–' : count.toLocaleString('en');

export function sayMoney(amount: number, currency: string): string {
  try {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
    return format.format(amount / 10 ** digits);
  } catch {
    return `${amount} ${currency}`;
  }
}

/** `charge.do` for people who do not know our words is not needed; this only makes codes readable. */
export const sayCode = (code: string): string => code.replaceAll('_', ' ').replaceAll('-', ' ');

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${sayCount(count)} ${count === 1 ? one : many}`;
