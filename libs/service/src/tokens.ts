/** From the variables of a service to those who know callers by their tokens. */
import { Tokens } from '@shop/http';
import type { Logger } from '@shop/observability';
import type { ServiceEnvironment } from './environment';

/** None without an issuer. */
export function tokensOf(given: ServiceEnvironment, logger: Logger): Tokens[] {
  if (given.OIDC_ISSUER === undefined) return [];
  return [
    new Tokens({
      issuer: given.OIDC_ISSUER,
      audience: given.OIDC_AUDIENCE,
      jwksUrl: given.OIDC_JWKS_URL,
      claims: {
        tenant: given.OIDC_TENANT_CLAIM,
        roles: given.OIDC_ROLES_CLAIM,
        principal: given.OIDC_PRINCIPAL_CLAIM,
      },
      onTrouble: ({ message }) => logger.warn({ reason: message }, 'oidc.issuer.failed'),
    }),
  ];
}
