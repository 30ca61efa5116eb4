/** What the variables say about the door of a service: whose pages may ask it, and how often anybody may. */
import { ANY_ORIGIN, type DoorOptions, parseOrigins, parseProxies } from '@shop/http';
import type { ServiceEnvironment } from './environment';
import { PRODUCTION } from './production';

/** More than any caller of a shop needs, and less than one replica can serve. On a developer's machine there is none. */
const IN_PRODUCTION = { principal: 30_000, tenant: 60_000 };

type DoorVariables = Pick<
  ServiceEnvironment,
  | 'NODE_ENV'
  | 'CORS_ORIGINS'
  | 'RATE_LIMIT_PRINCIPAL'
  | 'RATE_LIMIT_TENANT'
  | 'RATE_LIMIT_STRANGERS'
  | 'HSTS_SECONDS'
  | 'TRUSTED_PROXIES'
>;

export function doorOf(given: DoorVariables): Required<DoorOptions> {
  const usual = given.NODE_ENV === PRODUCTION ? IN_PRODUCTION : { principal: 0, tenant: 0 };
  return {
    origins: parseOrigins(given.CORS_ORIGINS),
    limits: {
      principal: given.RATE_LIMIT_PRINCIPAL ?? usual.principal,
      tenant: given.RATE_LIMIT_TENANT ?? usual.tenant,
      stranger: given.RATE_LIMIT_STRANGERS,
    },
    hstsSeconds: given.HSTS_SECONDS,
    trustedProxies: parseProxies(given.TRUSTED_PROXIES),
  };
}

/** With any origin, each page that a user of the shop opens could ask with a key that it has got hold of. */
export function unfitDoor({ CORS_ORIGINS }: Pick<DoorVariables, 'CORS_ORIGINS'>): string[] {
  return parseOrigins(CORS_ORIGINS).includes(ANY_ORIGIN) ? ['CORS_ORIGINS has *, which is any page'] : [];
}
