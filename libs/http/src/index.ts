export {
  type ApiKey,
  type Caller,
  CallerOf,
  parseApiKeys,
  PRINCIPAL,
  Public,
  Roles,
  type Role,
  roles,
  TENANT,
  weaknessesOf,
} from './api-keys';
export { ApiAnswer, ApiConditionalWrite, ApiPreferWait, ApiTraceparent } from './api-answers';
export { ConditionalGet, type Versioned } from './conditional-get';
export { ANY_ORIGIN, parseOrigins } from './cors';
export { createHttpApp, type DoorOptions, type HttpAppOptions } from './http-app';
export type { RateLimits } from './rate-limits';
export { parseProxies } from './proxies';
export { etagOf, type Preconditions, requireMatch, requireNone, unlessModified } from './etag';
export { PageOf } from './page-of';
export { type Page, PageQuery, readPage } from './page.query';
export { createHealthModule } from './health.controller';
export { OwnTurns } from './request-turns';
export { statusOfFault } from './problem.filter';
export { type Health, type HealthCheck, Readiness } from './readiness';
export { listenForManagement } from './management';
export { MetricsModule } from './metrics.module';
export { type RouteRoles, routesOf } from './route-roles';
export { Tokens, type TokensOptions } from './tokens';
export { type CallerSource, cannotTell, type Credential } from './who-calls';
