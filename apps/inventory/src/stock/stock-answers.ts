/** The refusals for stock, the largest stock, and what names of SKUs and places look like. */
import { SKU } from '@shop/contracts';
import { Problem } from '@shop/problem';
import { validationFailed } from '@shop/validation';

/** Far more than any shelf holds, and far less than the numbers that lose precision. */
export const MAX_ON_HAND = 1_000_000_000;
/** Names of places are like SKUs. */
export const PLACE = SKU;

export const stockNotFound = () => new Problem(404, 'stock_not_found', 'there is no stock of this SKU');

export const insufficientStock = ({ reserved }: { reserved: number }) =>
  new Problem(
    409,
    'insufficient_stock',
    `${reserved} pieces are reserved; on hand cannot go below that, or above the limit`,
  );

export const locationRequired = () =>
  new Problem(409, 'location_required', 'this SKU has pieces at several locations; say at which of them');

export const locationNotFound = () =>
  new Problem(409, 'location_not_found', 'this SKU has no such location; create it first');

/** A change of pieces that a bundle does not have. */
export const stockIsBundle = () =>
  new Problem(409, 'stock_is_bundle', 'a bundle has no pieces of its own; change those of its components');

/** @throws Problem 400: what is made under a name needs a good one */
export function checkSku(sku: string): string {
  if (!SKU.test(sku)) throw validationFailed([{ path: 'sku', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' }]);
  return sku;
}

/** @throws Problem 400 as `checkSku` */
export function checkPlace(place: string): string {
  if (!PLACE.test(place))
    throw validationFailed([{ path: 'location', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' }]);
  return place;
}
