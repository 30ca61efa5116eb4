export { defineService, type Service, type ServiceDefinition } from './define-service';
export { type DataKeySettings, IsDataKeys, sealerOf, unfitDataKeys } from './data-keys';
export {
  Count,
  HttpUrl,
  Port,
  PostgresUrl,
  ProcessEnvironment,
  readEnvironment,
  ServiceEnvironment,
} from './environment';
export { eraseAlong, eraseFound, FIRST_UUID } from './erasure/in-steps';
export type { ErasedRows, OwnData } from './erasure/own-data';
export { type Away, Neighbour, type NeighbourOptions, type Question } from './neighbours/neighbour';
export {
  IsNeighbourKey,
  neighbourKeyIn,
  type NeighbourKeySettings,
  unfitNeighbourKey,
} from './neighbours/neighbour-key';
export { operatorsError, secretIn } from './secret-file';
export { showsDocs } from './production';
export { ServiceModule, type ServiceModuleOptions } from './service.module';
export { runService, type ServiceOptions } from './run-service';
export { LOGGER } from './logger';
export { apiKeyMigrations } from './api-keys/migrations';
export { signatureOf, signedContent } from './webhooks/signed-body';
export {
  IsWebhookSecrets,
  unfitWebhookSecrets,
  WebhookSecrets,
  type WebhookSecretSettings,
} from './webhooks/webhook-secrets';
