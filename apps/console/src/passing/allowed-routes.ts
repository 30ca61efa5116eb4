/** What the page may ask of which service: nothing but what an operator needs. Pure. */
import { type Asked, asked } from '../console-settings';

export interface Route {
  service: Asked;
  method: string;
  /** `:` stands for one part of an address. */
  path: string;
  /** Its answer is a stream of events. */
  streams?: boolean;
}

const get = (service: Asked, ...paths: string[]): Route[] => paths.map((path) => ({ service, method: 'GET', path }));
const stream = (service: Asked, path: string): Route => ({ service, method: 'GET', path, streams: true });
const change = (service: Asked, method: string, path: string): Route => ({ service, method, path });

export const routes: readonly Route[] = [
  ...get('order', '/sagas', '/sagas/groups', '/sagas/census', '/sagas/:', '/sagas/:/outlook', '/sagas/:/ledger'),
  stream('order', '/sagas/live'),
  change('order', 'POST', '/sagas/:/acts'),
  ...get('order', '/saga-definitions', '/saga-holds', '/saga-batches', '/saga-batches/:', '/saga-batches/:/rows'),
  change('order', 'POST', '/saga-batches'),
  change('order', 'DELETE', '/saga-batches/:'),
  change('order', 'PUT', '/saga-holds/:/:'),
  change('order', 'DELETE', '/saga-holds/:/:'),
  ...get('order', '/orders/:', '/orders/:/saga'),
  ...get('payment', '/payments', '/payments/:', '/payments/:/refunds', '/payments/:/captures'),
  ...get('inventory', '/reservations/:'),
  ...get('fulfilment', '/deliveries'),
  ...asked.flatMap((service) => [
    ...get(service, '/dead-letters', '/dead-letters/groups', '/dead-letters/:'),
    change(service, 'POST', '/dead-letters/:/replay'),
    change(service, 'POST', '/dead-letters/:/discard'),
    ...get(service, '/dead-letter-batches', '/dead-letter-batches/:', '/dead-letter-batches/:/rows'),
    change(service, 'POST', '/dead-letter-batches'),
    change(service, 'DELETE', '/dead-letter-batches/:'),
  ]),
];

/** An id, a name or a code: nothing that leads to another place. */
const PART = /^(?!\.{1,2}$)[\w.~:@%+-]{1,256}$/;
/** Encoded, these would be read as a part of the path further on. */
const ENCODED_TRICK = /%(2f|5c|2e|00|25)/i;

/** The route that an address of the page means, or undefined. A fixed name counts more than any id. */
export function allowedRoute(service: string, method: string, path: string): Route | undefined {
  const parts = path.split('/').slice(1);
  if (!path.startsWith('/') || ENCODED_TRICK.test(path) || !parts.every((part) => PART.test(part))) return undefined;
  const found = routes.filter((route) => route.service === service && route.method === method && fits(route, parts));
  return found.find((route) => !route.path.includes(':')) ?? found[0];
}

function fits({ path }: Route, parts: readonly string[]): boolean {
  const own = path.split('/').slice(1);
  return own.length === parts.length && own.every((part, index) => part === ':' || part === parts[index]);
}
