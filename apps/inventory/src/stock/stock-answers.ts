/** The refusals for stock, and the largest stock. */
import { Problem } from '@shop/problem';
import type { Stock } from './warehouse';

/** Far more than any shelf holds, and far less than the numbers that lose precision. */
export const MAX_ON_HAND = 1_000_000_000;

export const stockNotFound = () => new Problem(404, 'stock_not_found', 'there is no stock of this SKU');

export const insufficientStock = ({ reserved }: Stock) =>
  new Problem(
    409,
    'insufficient_stock',
    `${reserved} pieces are reserved; on hand cannot go below that, or above the limit`,
  );
