export { ApiClient, type ApiResponse } from './api-client';
export { auditBooks, type BooksReport } from './books';
export { catalogue, seed } from './seed';
export { DEVELOPMENT_KEY, type ServiceName, startSystem, type System, type SystemOptions } from './system';
export { ServiceProcess } from './service-process';
