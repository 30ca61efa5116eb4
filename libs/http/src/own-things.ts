/** Whose things a caller sees: its own, and as an operator those of its whole tenant. */
import type { Caller } from './api-keys';

export interface Reach {
  tenant: string;
  /** Only what this principal has made. Absent for an operator. */
  placedBy?: string;
}

export function reachOf({ tenant, principal, roles }: Caller): Reach {
  return roles.includes('operator') ? { tenant } : { tenant, placedBy: principal };
}

/** Whether who asks with this reach sees a thing of its tenant. One of which nobody knows who has made it, only operators see. */
export const isVisible = ({ placedBy }: { placedBy?: string | null }, reach: Pick<Reach, 'placedBy'>): boolean =>
  reach.placedBy === undefined || reach.placedBy === placedBy;
