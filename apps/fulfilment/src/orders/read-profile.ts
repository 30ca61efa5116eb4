/** Reads the profile of a customer from the order service, whenever it is needed, so that no copy has to be erased here. */
import type { Neighbour } from '@shop/service';

/**
 * Undefined when the customer has no profile, or none any more.
 * @param type what is used of it
 * @throws RetryableError when the order service does not tell
 */
export function readProfile<Profile extends { id: string }>(
  order: Pick<Neighbour, 'read'>,
  { tenant, customerId }: { tenant: string; customerId: string },
  type: new () => Profile,
): Promise<Profile | undefined> {
  return order.read({
    tenant,
    path: `/profiles/${encodeURIComponent(customerId)}`,
    type,
    fits: ({ id }) => id === customerId,
    absent: 'profile_not_found',
  });
}
