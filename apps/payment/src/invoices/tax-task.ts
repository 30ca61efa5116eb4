/** What the tax service has to be told of an invoice or a credit note: written with it, told by a worker afterwards. */
import type { TaxOfRate } from './totals';

export const taxTaskKinds = ['commit', 'refund'] as const;
export type TaxTaskKind = (typeof taxTaskKinds)[number];

/** `parked`: the service has refused it, or was away for too long. An operator looks at it. */
export const taxTaskStatuses = ['open', 'done', 'parked'] as const;
export type TaxTaskStatus = (typeof taxTaskStatuses)[number];

export interface NewTaxTask {
  tenant: string;
  /** `commit` for an invoice, `refund` for a credit note. */
  kind: TaxTaskKind;
  /** The number of the paper itself, under which the task is there once: of the invoice, or of the credit note. */
  number: string;
  /** The number of the invoice: the same for a commit. */
  invoice: string;
  currency: string;
  /** Of the paper. */
  rates: readonly TaxOfRate[];
}
