export { ApiClient, type ApiResponse } from './api-client';
export { auditBooks, type BooksReport } from './books';
export { DEVELOPMENT_KEY } from './development-key';
export { inParallel } from './in-parallel';
export { catalogue, seed, type SeedProduct } from './seed';
export { type ServiceName, serviceNames, startSystem, type System, type SystemOptions } from './system';
export { ServiceProcess } from './service-process';
export { type SagaStory, timelineOf } from './timeline';
export { createWorkload, type Posting, type Workload, type WorkloadOptions } from './workload';
