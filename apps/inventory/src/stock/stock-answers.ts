/** What is refused of stock, and how much of it there may be. */
import { Problem } from '@shop/problem';
import type { Stock } from './warehouse';

/** Far above any shelf, far below where numbers lose precision. */
export const MAX_ON_HAND = 1_000_000_000;

export const stockNotFound = () => new Problem(404, 'stock_not_found', 'there is no stock of this SKU');

export const insufficientStock = ({ reserved }: Stock) =>
  new Problem(
    409,
    'insufficient_stock',
    `${reserved} pieces are reserved; on hand cannot go below that, or above the limit`,
  );
