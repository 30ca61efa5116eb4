/** Who sent a request, and the scope in which its keys are one's own. */
import assert from 'node:assert/strict';

/** Who calls, as a guard of the service has put it on the request. */
export interface Caller {
  tenant: string;
  principal: string;
}

export function callerOf(request: { caller?: Caller }): Caller {
  assert(request.caller, 'a guard has to put the caller, { tenant, principal }, on the request');
  return request.caller;
}

/** The same key of another tenant, of another principal or on another route is another key. */
export function scopeOf({ tenant, principal }: Caller, route: string): string {
  return `${tenantPrefix(tenant)}${principal}|${route}`;
}

/** What all scopes of a tenant begin with. */
export const tenantPrefix = (tenant: string): string => `${tenant}|`;
