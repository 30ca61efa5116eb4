/** Whether a client would rather have a page of paper than JSON (RFC 9110, section 12.5.1). Pure. */

export const PDF = 'application/pdf';
const JSON_TYPE = 'application/json';

/** Without a wish, or with the same wish for both, JSON is the answer. */
export const prefersPdf = (accept: string | undefined): boolean => {
  const ranges = (accept ?? '').split(',').map(rangeOf);
  return wishFor(PDF, ranges) > wishFor(JSON_TYPE, ranges);
};

interface Range {
  type: string;
  /** From 0 to 1. */
  wish: number;
}

function rangeOf(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
  const wish = Number(q);
  return { type, wish: wish >= 0 && wish <= 1 ? wish : 0 };
}

/** The most exact range counts, whatever the order. */
function wishFor(type: string, ranges: readonly Range[]): number {
  const names = [type, `${type.split('/')[0]}/*`, '*/*'];
  const range = names.map((name) => ranges.find((one) => one.type === name)).find(Boolean);
  return range?.wish ?? 0;
}
