/** Whose data is erased: a customer's or a whole tenant's; and how far whoever asks can reach. */
import type { DataSubject } from '@shop/messaging';

export interface Subject extends DataSubject {
  /** Only what this principal has made. An operator reaches all of its tenant. */
  placedBy?: string;
}
