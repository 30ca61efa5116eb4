/** Amounts, rates and texts as they are printed. Pure, and the same on every machine. */

/** 12345 cents are 123.45, and 1234500 are 12,345.00. */
export function moneyText(amount: number, currency: string): string {
  const decimals = decimalsOf(currency);
  const digits = String(Math.abs(amount)).padStart(decimals + 1, '0');
  const whole = grouped(digits.slice(0, digits.length - decimals));
  const fraction = decimals === 0 ? '' : `.${digits.slice(-decimals)}`;
  return `${amount < 0 ? '-' : ''}${whole}${fraction}`;
}

/** 1000000 pieces are 1,000,000. */
export function countText(pieces: number): string {
  return grouped(String(pieces));
}

/** 1900 basis points are 19 %, and 750 are 7.5 %. */
export function rateText(rate: number): string {
  return `${rate / 100} %`;
}

export function dateText(isoTime: string): string {
  return isoTime.slice(0, 'yyyy-mm-dd'.length);
}

/**
 * The text in the letters that the standard fonts of PDF have. Another one is printed without its accent, or in the
 * letters that it is made of; and as a question mark if it has none.
 */
export function standardLetters(text: string): string {
  return [...text].map((letter) => (isStandard(letter) ? letter : simpler(letter))).join('');
}

function simpler(letter: string): string {
  if (letter in SIMPLER) return SIMPLER[letter]!;
  const parts = [...letter.normalize('NFKD')]
    .filter((part) => !/\p{M}/u.test(part))
    .map((part) => SIMPLER[part] ?? part);
  return parts.length > 0 && parts.every((part) => [...part].every(isStandard)) ? parts.join('') : '?';
}

/** Letters that Unicode does not take apart. */
const SIMPLER: Readonly<Record<string, string>> = {
  Ł: 'L',
  ł: 'l',
  Đ: 'D',
  đ: 'd',
  ı: 'i',
  ĸ: 'k',
  Ħ: 'H',
  ħ: 'h',
  Ŧ: 'T',
  ŧ: 't',
  ẞ: 'SS',
  '−': '-',
  '‐': '-',
  '‑': '-',
  '\t': ' ',
  '\n': ' ',
};

/** Latin 1 without its control characters, and what Windows-1252 has beside it. */
const isStandard = (letter: string): boolean => /^[ -~\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]$/u.test(letter);

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ',');

/** As ISO 4217 has them. */
function decimalsOf(currency: string): number {
  const { maximumFractionDigits } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  return maximumFractionDigits ?? 2;
}
