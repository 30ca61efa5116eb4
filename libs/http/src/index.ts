export {
  ApiKeyGuard,
  type ApiKey,
  type Caller,
  CallerOf,
  parseApiKeys,
  Public,
  Roles,
  type Role,
  roles,
} from './api-keys';
export { createHttpApp, type HttpAppOptions } from './http-app';
export { etagOf, requireMatch, requireNone, unlessModified } from './etag';
export { PageQuery, pageOf } from './page.query';
export { createHealthModule, type HealthCheck } from './health.controller';
export { MetricsModule } from './metrics.controller';
