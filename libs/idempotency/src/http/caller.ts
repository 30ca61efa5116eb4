/** The sender of a request, and the scope in which the sender's keys count. */
import assert from 'node:assert/strict';

/** The caller. A guard of the service has put it on the request. */
export interface Caller {
  tenant: string;
  principal: string;
}

export function callerOf(request: { caller?: Caller }): Caller {
  assert(request.caller, 'a guard has to put the caller, { tenant, principal }, on the request');
  return request.caller;
}

/** The same key counts as another key for another tenant, another principal or another route. */
export function scopeOf({ tenant, principal }: Caller, route: string): string {
  return `${tenantPrefix(tenant)}${principal}|${route}`;
}

/** The prefix of all scopes of a tenant. */
export const tenantPrefix = (tenant: string): string => `${tenant}|`;

/** The tenant of a scope; the scope of commands has none, and is one word. */
export const tenantIn = (scope: string): string => scope.split('|', 1)[0]!;
