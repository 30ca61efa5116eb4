export { defineService, type Service, type ServiceDefinition } from './define-service';
export { type DataKeySettings, IsDataKeys, sealerOf, unfitDataKeys } from './data-keys';
export { Count, Port, PostgresUrl, ProcessEnvironment, readEnvironment, ServiceEnvironment } from './environment';
export type { ErasedRows, OwnData } from './erasure/own-data';
export { showsDocs } from './production';
export { ServiceModule, type ServiceModuleOptions } from './service.module';
export { runService, type ServiceOptions } from './run-service';
export { LOGGER } from './logger';
export { apiKeyMigrations } from './api-keys/migrations';
