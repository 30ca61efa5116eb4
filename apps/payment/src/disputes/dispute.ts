/** A dispute: a bank has taken money back for its customer. Pure. */

export const disputeStatuses = ['open', 'won', 'lost'] as const;
/** `won`: the money came back to us. */
export type DisputeStatus = (typeof disputeStatuses)[number];

export interface Dispute {
  tenant: string;
  /** The provider's name for it. */
  id: string;
  paymentId: string;
  amount: number;
  currency: string;
  reason: string;
  status: DisputeStatus;
  openedAt: string;
  closedAt: string | null;
}
