/** `GET /metrics` in the Prometheus text format. */
import { Controller, Get, Header, Module } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { collectDefaultMetrics, register } from 'prom-client';
import { Public } from './api-keys';

@Public()
@ApiExcludeController()
@Controller()
class MetricsController {
  @Get('metrics')
  @Header('content-type', register.contentType)
  metrics(): Promise<string> {
    return register.metrics();
  }
}

/** A timer wakes the process this often to measure its delay; the usual 10 ms keep an idle service busy. */
const EVENT_LOOP_SAMPLE_MS = 500;

@Module({ controllers: [MetricsController] })
export class MetricsModule {
  onModuleInit(): void {
    if (!register.getSingleMetric('process_cpu_user_seconds_total')) {
      collectDefaultMetrics({ eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS });
    }
  }
}
