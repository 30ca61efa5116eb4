/** Puts the interceptor on every route, and refuses to start a service with a mutating route that has no strategy. */
import { Module, type OnModuleInit, RequestMethod } from '@nestjs/common';
import { APP_INTERCEPTOR, DiscoveryModule, DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { IdempotencyInterceptor } from './idempotency.interceptor';
import { IDEMPOTENCY_STRATEGY } from './idempotent';

const MUTATING = [RequestMethod.POST, RequestMethod.PUT, RequestMethod.PATCH, RequestMethod.DELETE];
/** The metadata key under which Nest keeps a route's HTTP method. */
const NEST_METHOD = 'method';

@Module({
  imports: [DiscoveryModule],
  providers: [{ provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor }],
})
export class IdempotencyModule implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onModuleInit(): void {
    const undeclared = this.discovery.getControllers().flatMap(({ metatype, name }) =>
      this.scanner
        .getAllMethodNames(metatype?.prototype as object)
        .filter((method) => this.lacksStrategy((metatype?.prototype as Record<string, Function>)[method]!))
        .map((method) => `${name}.${method}`),
    );
    if (undeclared.length > 0) {
      throw new Error(`these routes change something and have no @Idempotent strategy: ${undeclared.join(', ')}`);
    }
  }

  private lacksStrategy(handler: Function): boolean {
    const method = this.reflector.get<RequestMethod | undefined>(NEST_METHOD, handler);
    return method !== undefined && MUTATING.includes(method) && !this.reflector.get(IDEMPOTENCY_STRATEGY, handler);
  }
}
