/** A request to place an order, and the names under which it is known. */
import type { Caller } from '@shop/http';
import { type Claim, fingerprintOf, naturalKeyOf } from '@shop/idempotency';
import type { OrderBody } from '../order.body';

export interface PlaceRequest {
  claim: Claim;
  caller: Caller;
  body: OrderBody;
  traceparent: string;
  /** The id that the client chose (PUT). */
  id?: string;
}

/** The claim of a PUT. The id from the client is the key, within its tenant, for every principal of the tenant. */
export function claimOfPut(tenant: string, id: string, body: OrderBody): Claim {
  return { scope: `${tenant}||PUT /orders/:id`, key: id, fingerprint: fingerprintOf(body) };
}

/** The natural key of a POST for the time after the ledger has forgotten it: its first 16 bytes in hexadecimal. */
export const placedAsOf = (claim: Pick<Claim, 'scope' | 'key'>): string => naturalKeyOf(claim).slice(0, 32);
