/** How many clients may wait at the same time: so many of each tenant, and so many in all. */
import { Problem } from '@shop/problem';

/** A tenant that has more to wait for may listen to the events instead, or ask later. */
const RETRY_AFTER = { 'retry-after': '1' };

export interface SeatLimits {
  perTenant: number;
  inAll: number;
}

/** Answers that are held back until the order has ended. Each looks again once a second. */
export const WAITING: SeatLimits = { perTenant: 500, inAll: 2_000 };
/** Streams of events. Each stays for minutes. */
export const LISTENING: SeatLimits = { perTenant: 200, inAll: 1_000 };

export class Seats {
  private readonly taken = new Map<string, number>();
  private all = 0;

  constructor(private readonly limits: SeatLimits) {}

  /**
   * Returns what gives the seat back; to be called once.
   * @throws Problem 429 `too_many_waiting` when the tenant has all of its seats, 503 `overloaded` when nobody gets one
   */
  take(tenant: string): () => void {
    const own = this.taken.get(tenant) ?? 0;
    if (own >= this.limits.perTenant) {
      const detail = `${own} requests of yours wait already; ask without waiting, or again when some of them have ended`;
      throw new Problem(429, 'too_many_waiting', detail, { headers: RETRY_AFTER });
    }
    if (this.all >= this.limits.inAll) {
      throw new Problem(503, 'overloaded', 'too many clients are waiting; ask without waiting', {
        headers: RETRY_AFTER,
      });
    }
    this.taken.set(tenant, own + 1);
    this.all++;
    return () => this.leave(tenant);
  }

  private leave(tenant: string): void {
    this.all--;
    const left = this.taken.get(tenant)! - 1;
    if (left > 0) this.taken.set(tenant, left);
    else this.taken.delete(tenant);
  }
}
