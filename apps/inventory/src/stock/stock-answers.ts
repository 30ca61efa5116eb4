/** Stock as clients see it: its JSON, and the refusals. */
import { Problem } from '@shop/problem';
import type { Stock } from './stock';

/** Far above any shelf, far below where numbers lose precision. */
export const MAX_ON_HAND = 1_000_000_000;

export function stockJson({ sku, onHand, reserved, version }: Stock) {
  return { sku, onHand, reserved, available: onHand - reserved, version };
}

export const stockNotFound = () => new Problem(404, 'stock_not_found', 'there is no stock of this SKU');

export const insufficientStock = ({ reserved }: Stock) =>
  new Problem(
    409,
    'insufficient_stock',
    `${reserved} pieces are reserved; on hand cannot go below that, or above the limit`,
  );
