/**
 * Service keys. Another service of the shop reads with one, for the tenant that it names in a header, as an operator of
 * that tenant. It changes nothing, and neither a token nor a key that was added over HTTP can be one.
 */
import { Problem } from '@shop/problem';
import type { FastifyRequest } from 'fastify';
import { type Caller, TENANT } from './api-keys';

/** Counts with a service key only. */
export const TENANT_HEADER = 'shop-tenant';

/** No principal of a tenant begins so: see `PRINCIPAL`. */
const PREFIX = 'service:';

/** Whether another service of the shop reads. It may name any tenant, so what it sees of all tenants is no secret to it. */
export const isService = ({ principal }: Pick<Caller, 'principal'>): boolean => principal.startsWith(PREFIX);

const READING = ['GET', 'HEAD'];

/** The caller that a service key is in this request, or why it is none. */
export function readerFor(principal: string, { method, headers }: FastifyRequest): Caller | Problem {
  if (!READING.includes(method)) return new Problem(403, 'forbidden', 'a service key only reads');
  const tenant = headers[TENANT_HEADER];
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) {
    return new Problem(400, 'shop_tenant_invalid', 'a service key needs the header Shop-Tenant, with one tenant');
  }
  // It shares nothing with a principal of the tenant: no stored answers, and no count of requests.
  return { tenant, principal: `${PREFIX}${principal}`, roles: ['operator'] };
}
