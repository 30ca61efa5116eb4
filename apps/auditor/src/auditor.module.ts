/** Wires the auditor: the job, its metrics and its health. */
import { type DynamicModule, Module } from '@nestjs/common';
import { createHealthModule, MetricsModule } from '@shop/http';
import { SyntheticJob, type SyntheticJobOptions } from './synthetic-job';

@Module({})
class AuditorModule {}

export function createAuditorModule(options: SyntheticJobOptions): DynamicModule {
  return {
    module: AuditorModule,
    imports: [MetricsModule, createHealthModule({ inject: [], useFactory: () => [] })],
    providers: [{ provide: SyntheticJob, useFactory: () => new SyntheticJob(options) }],
  };
}
