/** Answers keyed routes, and refuses to start a service whose routes do not say how they are safe to repeat. */
import { Module, type OnModuleInit, RequestMethod } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost, MetadataScanner, Reflector } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { IDEMPOTENCY_STRATEGY, type IdempotencyStrategy, isKeyed } from './idempotent';
import { answerKeyedRoutes, takesClaim } from './keyed-routes';

const MUTATING = [RequestMethod.POST, RequestMethod.PUT, RequestMethod.PATCH, RequestMethod.DELETE];
/** The metadata key under which Nest keeps a route's HTTP method. */
const NEST_METHOD = 'method';

interface Route {
  controller: Function;
  method: string;
  name: string;
  strategy: IdempotencyStrategy | undefined;
}

@Module({ imports: [DiscoveryModule] })
export class IdempotencyModule implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
    private readonly host: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const routes = this.mutatingRoutes();
    refuse('change something and have no @Idempotent strategy', ({ strategy }) => !strategy, routes);
    refuse(
      'are keyed and do not take @ClaimOf()',
      ({ strategy, controller, method }) => isKeyed(strategy) && !takesClaim(controller, method),
      routes,
    );
    answerKeyedRoutes(this.host.httpAdapter.getInstance<FastifyInstance>());
  }

  private mutatingRoutes(): Route[] {
    return this.discovery.getControllers().flatMap(({ metatype, name }) => {
      const prototype = metatype?.prototype as Record<string, Function>;
      return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
        const handler = prototype[method]!;
        const verb = this.reflector.get<RequestMethod | undefined>(NEST_METHOD, handler);
        if (verb === undefined || !MUTATING.includes(verb)) return [];
        const strategy = this.reflector.get<IdempotencyStrategy | undefined>(IDEMPOTENCY_STRATEGY, handler);
        return [{ controller: metatype as Function, method, name: `${name}.${method}`, strategy }];
      });
    });
  }
}

function refuse(fault: string, isFaulty: (route: Route) => boolean, routes: readonly Route[]): void {
  const faulty = routes.filter(isFaulty).map(({ name }) => name);
  if (faulty.length > 0) throw new Error(`these routes ${fault}: ${faulty.join(', ')}`);
}
