/**
 * Liveness ("the process runs") and readiness ("send it work") as separate routes. On the port of the API they say only
 * that much, for load balancers. The reasons are on the port of `management.ts`.
 */
import {
  Controller,
  type DynamicModule,
  Get,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  Res,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { Public } from './api-keys';
import { type HealthCheck, Readiness } from './readiness';

interface StatusReply {
  status(code: number): unknown;
}

@ApiExcludeController()
@Controller('health')
class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Public()
  live(): { status: string } {
    return { status: 'ok' };
  }

  @Get('ready')
  @Public()
  async ready(@Res({ passthrough: true }) reply: StatusReply): Promise<{ status: string }> {
    const { ready } = await this.readiness.now();
    reply.status(ready ? 200 : 503);
    return { status: ready ? 'ok' : 'unavailable' };
  }
}

@Module({})
class HealthModule implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly readiness: Readiness,
    private readonly host: HttpAdapterHost,
  ) {}

  /** Before a stop, clients are told to open their next connection elsewhere. */
  onModuleInit(): void {
    this.host.httpAdapter.getInstance<FastifyInstance>().addHook('onSend', (_request, reply, payload, done) => {
      if (this.readiness.isLeaving) void reply.header('connection', 'close');
      done(null, payload);
    });
  }

  onApplicationBootstrap(): void {
    this.readiness.start();
  }

  onApplicationShutdown(): void {
    this.readiness.leave();
  }
}

export function createHealthModule(options: {
  inject: unknown[];
  useFactory: (...dependencies: never[]) => HealthCheck[];
}): DynamicModule {
  const readiness = {
    provide: Readiness,
    inject: options.inject as never[],
    useFactory: (...dependencies: never[]) => new Readiness(options.useFactory(...dependencies)),
  };
  return { module: HealthModule, controllers: [HealthController], providers: [readiness], exports: [readiness] };
}
