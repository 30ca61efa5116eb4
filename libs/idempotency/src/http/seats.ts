/** How many clients may wait at the same time: so many of each tenant, and so many in all. */
import { Problem } from '@shop/problem';

/** A tenant that has more to wait for may ask later. */
const RETRY_AFTER = { 'retry-after': '1' };

export interface SeatLimits {
  perTenant: number;
  inAll: number;
}

export class Seats {
  private readonly taken = new Map<string, number>();
  private all = 0;

  constructor(private readonly limits: SeatLimits) {}

  /**
   * Returns what gives the seat back; to be called once.
   * @throws Problem 429 `too_many_waiting` when the tenant has all of its seats, 503 `overloaded` when nobody gets one
   */
  take(tenant: string): () => void {
    const leave = this.offer(tenant);
    if (leave) return leave;
    const own = this.taken.get(tenant) ?? 0;
    if (own < this.limits.perTenant) {
      const detail = 'too many clients are waiting; ask without waiting';
      throw new Problem(503, 'overloaded', detail, { headers: RETRY_AFTER });
    }
    const detail = `${own} requests of yours wait already; ask without waiting, or again when some of them have ended`;
    throw new Problem(429, 'too_many_waiting', detail, { headers: RETRY_AFTER });
  }

  /** Like `take`, for those who can also go on without waiting: they get nothing when there is no seat. */
  offer(tenant: string): (() => void) | undefined {
    const own = this.taken.get(tenant) ?? 0;
    if (own >= this.limits.perTenant || this.all >= this.limits.inAll) return undefined;
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
