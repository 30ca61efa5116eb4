/** What a promotion says: what it takes off, of what, when and how often. */

/** Kept in upper case. */
export const CODE = /^[A-Z0-9-]{1,40}$/;

export const promotionKinds = ['percent', 'amount'] as const;
export type PromotionKind = (typeof promotionKinds)[number];

export interface PromotionTerms {
  code: string;
  kind: PromotionKind;
  /** 1 to 100; of a promotion of the kind `percent`. */
  percent?: number;
  /** Minor units; of a promotion of the kind `amount`. */
  amount?: number;
  /** Of `amount` and `minimum`. */
  currency?: string;
  /** Only these products get it. All products without it. */
  skus?: string[];
  /** What the order has to come to, in minor units, before anything is taken off. */
  minimum?: number;
  startsAt?: Date;
  /** From this moment on, it is over. */
  endsAt?: Date;
  maxUses?: number;
  maxUsesPerCustomer?: number;
  /** Whether an order may have other promotions beside it. */
  combinable: boolean;
  /** The uses that are taken or confirmed. */
  used: number;
}

export interface PromotionKey {
  tenant: string;
  code: string;
}

/** The code as it is kept; undefined for what cannot be one. */
export function codeOf(text: string): string | undefined {
  const code = text.toUpperCase();
  return CODE.test(code) ? code : undefined;
}
