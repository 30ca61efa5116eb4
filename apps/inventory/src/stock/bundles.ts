/** What an order really takes: the components of its bundles, and its other SKUs. Pure. */
import { merged, type StockLine } from './stock';

/**
 * One line for each SKU of the whole order, so that two bundles with the same component, or a bundle and its component,
 * are counted together.
 * @param componentsOf the components of one piece of a SKU that is a bundle
 */
export function piecesOf(
  lines: readonly StockLine[],
  componentsOf: (sku: string) => readonly StockLine[] | null,
): StockLine[] {
  return merged(
    lines.flatMap(
      (line) =>
        componentsOf(line.sku)?.map(({ sku, quantity }) => ({ sku, quantity: quantity * line.quantity })) ?? [line],
    ),
  );
}
