/**
 * What is known of an order from events, and how an event changes it. Pure.
 *
 * Events come late, again, and in any order. A cancelled order stays cancelled, whatever comes after it: the order service
 * tells of each of the two at most once, and of the confirmation first.
 */

export interface HeardOrder {
  tenant: string;
  orderId: string;
  status: 'confirmed' | 'cancelled';
  /** It is confirmed, or was before it was cancelled. */
  wasConfirmed: boolean;
  /** The status is from before the birth of this service, and others have cared for it. */
  earlier: boolean;
  /** Minor units; unknown until the confirmation was heard. */
  amount?: number;
  currency?: string;
  /** Why it was cancelled. Absent for an order that was confirmed before. */
  reason?: string;
  /** The `traceparent` of the last news: what follows goes on there. */
  trace?: string;
}

export type OrderNews = Pick<HeardOrder, 'tenant' | 'orderId' | 'earlier' | 'trace'> &
  ({ kind: 'confirmed'; amount: number; currency: string } | { kind: 'cancelled'; reason?: string });

/** @param known undefined for an order of which nothing was heard before */
export function hear(known: HeardOrder | undefined, news: OrderNews): HeardOrder {
  const { tenant, orderId, earlier, trace = known?.trace } = news;
  if (news.kind === 'confirmed') {
    const { amount, currency } = news;
    // Its cancellation has overtaken it.
    if (known) return { ...known, wasConfirmed: true, amount, currency, trace };
    return { tenant, orderId, status: 'confirmed', wasConfirmed: true, earlier, amount, currency, trace };
  }
  const { reason } = news;
  // Only an order that was confirmed is cancelled without a reason.
  const wasConfirmed = (known?.wasConfirmed ?? false) || reason === undefined;
  return { ...known, tenant, orderId, status: 'cancelled', wasConfirmed, earlier, reason, trace };
}
