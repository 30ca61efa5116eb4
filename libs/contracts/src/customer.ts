/** A customer as services tell each other of one: equal for the same customer, and no name. */
import { hash } from 'node:crypto';

/** 64 hexadecimal digits. Who can guess the customer can make it too, so it is erased with the customer. */
export function customerHash(tenant: string, customerId: string): string {
  return hash('sha256', `${tenant}\n${customerId}`, 'hex');
}

export const CUSTOMER_HASH = /^[0-9a-f]{64}$/;
