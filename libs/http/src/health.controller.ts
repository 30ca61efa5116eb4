/** Liveness ("the process runs") and readiness ("send it work") as separate routes. */
import { Controller, type DynamicModule, Get, Inject, Module, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from './api-keys';

export interface HealthCheck {
  name: string;
  /** Rejects when the service should get no work. */
  check: () => Promise<void>;
}

const HEALTH_CHECKS = Symbol('HEALTH_CHECKS');
/** A check that hangs counts as failed. */
const CHECK_TIMEOUT_MS = 2_000;

interface StatusReply {
  status(code: number): unknown;
}

@Public()
@ApiExcludeController()
@Controller('health')
class HealthController {
  constructor(@Inject(HEALTH_CHECKS) private readonly checks: HealthCheck[]) {}

  @Get('live')
  live(): { status: string } {
    return { status: 'ok' };
  }

  @Get('ready')
  async ready(
    @Res({ passthrough: true }) reply: StatusReply,
  ): Promise<{ status: string; checks: Record<string, string> }> {
    const results = await Promise.all(
      this.checks.map(async ({ name, check }) => [name, await outcomeOf(check)] as const),
    );
    const ready = results.every(([, outcome]) => outcome === 'ok');
    reply.status(ready ? 200 : 503);
    return { status: ready ? 'ok' : 'unavailable', checks: Object.fromEntries(results) };
  }
}

@Module({})
class HealthModule {}

export function createHealthModule(options: {
  inject: unknown[];
  useFactory: (...dependencies: never[]) => HealthCheck[];
}): DynamicModule {
  return {
    module: HealthModule,
    controllers: [HealthController],
    providers: [{ provide: HEALTH_CHECKS, inject: options.inject as never[], useFactory: options.useFactory as never }],
  };
}

async function outcomeOf(check: () => Promise<void>): Promise<'ok' | 'failed'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'failed'>((resolve) => {
    timer = setTimeout(() => resolve('failed'), CHECK_TIMEOUT_MS);
  });
  const done = check().then(
    () => 'ok' as const,
    () => 'failed' as const,
  );
  const outcome = await Promise.race([done, late]);
  clearTimeout(timer);
  return outcome;
}
