/**
 * What promotions take off the lines of an order. Pure.
 *
 * The percent ones come first, each of the list price, then the amounts, each of what is left; within a kind in order of
 * their codes. So the order in which a customer names them changes nothing. No line goes below zero. A promotion is a
 * whole number of minor units, which is shared out over its lines by the method of the largest remainder: the parts add
 * up to the whole, and no line gets more than one minor unit above or below its exact share.
 */
import type { Money } from '../products/product';
import type { PromotionTerms } from './promotion';

export interface DiscountLine {
  /** Each once. */
  sku: string;
  quantity: number;
  /** All lines have one currency. */
  unitPrice: Money;
}

export interface Discount {
  /** Of each line, in the order of the lines, in minor units. */
  lines: number[];
  /** What each promotion took off, in the order in which they were applied. It may be nothing. */
  promotions: { code: string; amount: number }[];
  /** The sum of the lines, and that of the promotions. */
  amount: number;
}

type Off = Pick<PromotionTerms, 'code' | 'kind' | 'percent' | 'amount' | 'skus'>;

export function discount(lines: readonly DiscountLine[], promotions: readonly Off[]): Discount {
  const list = lines.map(({ quantity, unitPrice }) => quantity * unitPrice.amount);
  const left = [...list];
  const applied = [...promotions].sort(byTurn).map((promotion) => {
    const touched = lines.map(({ sku }) => promotion.skus?.includes(sku) ?? true);
    const base = (promotion.kind === 'percent' ? list : left).map((amount, index) => (touched[index] ? amount : 0));
    const parts = shareOut(wholeOf(promotion, sum(base)), base, lines);
    // Several percent ones together may come to more than the whole line.
    const taken = parts.map((part, index) => Math.min(part, left[index]!));
    taken.forEach((part, index) => (left[index]! -= part));
    return { code: promotion.code, amount: sum(taken) };
  });
  const off = list.map((amount, index) => amount - left[index]!);
  return { lines: off, promotions: applied, amount: sum(off) };
}

function byTurn(one: Off, other: Off): number {
  if (one.kind !== other.kind) return one.kind === 'percent' ? -1 : 1;
  return one.code < other.code ? -1 : 1;
}

/** Half a minor unit and more is rounded up. No intermediate number is larger than `base`. */
function wholeOf({ kind, percent = 0, amount = 0 }: Off, base: number): number {
  if (kind === 'amount') return Math.min(amount, base);
  const rest = base % 100;
  return ((base - rest) / 100) * percent + Math.floor((rest * percent + 50) / 100);
}

/** Shares `whole` out in proportion to `weights`. Equal remainders are decided by the SKU. */
function shareOut(whole: number, weights: readonly number[], lines: readonly DiscountLine[]): number[] {
  const all = BigInt(sum(weights));
  if (all === 0n) return weights.map(() => 0);
  const shares = weights.map((weight, index) => {
    const exact = BigInt(whole) * BigInt(weight);
    return { index, sku: lines[index]!.sku, part: Number(exact / all), remainder: exact % all };
  });
  const missing = whole - sum(shares.map(({ part }) => part));
  const byRemainder = [...shares].sort((one, other) => {
    if (one.remainder !== other.remainder) return one.remainder > other.remainder ? -1 : 1;
    return one.sku < other.sku ? -1 : 1;
  });
  for (const share of byRemainder.slice(0, missing)) share.part += 1;
  return shares.map(({ part }) => part);
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
