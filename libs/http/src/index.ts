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
  weaknessesOfKey,
} from './api-keys';
export { ApiAnswer, ApiConditionalRead, ApiConditionalWrite, ApiPreferWait, ApiTraceparent } from './api-answers';
export { isVisible, type Reach, reachOf } from './own-things';
export { ConditionalGet, type Versioned } from './conditional-get';
export { ANY_ORIGIN, parseOrigins } from './cors';
export { createHttpApp, type DoorOptions, type HttpAppOptions } from './http-app';
export type { RateLimits } from './rate-limits';
export { parseProxies } from './proxies';
export { etagOf, type Preconditions, requireMatch, requireNone, unlessModified } from './etag';
export { PageOf } from './page-of';
export { type Page, PageQuery, readPage } from './page.query';
export { createHealthModule } from './health.controller';
export { type EndTurn, EndTurnOf, OwnTurns } from './request-turns';
export { statusOfFault } from './problem.filter';
export { type Health, type HealthCheck, Readiness } from './readiness';
export { ApiMergePatch, type MergePatch, mergePatch, patched } from './merge-patch';
export { listenForManagement } from './management';
export { MetricsModule } from './metrics.module';
export { type RouteRoles, routesOf } from './route-roles';
export { isService } from './service-keys';
export { Tokens, type TokensOptions } from './tokens';
export { type CallerSource, cannotTell, type Credential } from './who-calls';
