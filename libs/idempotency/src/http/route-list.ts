/** The mutating routes of a service with their strategies, and the checks that stop the start of an unsafe service. */
import { Injectable, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { takesClaim } from './keyed-routes';
import { type IdempotencyStrategy, isKeyed, policyOf, strategyOf } from './strategy';

const MUTATING = [RequestMethod.POST, RequestMethod.PUT, RequestMethod.PATCH, RequestMethod.DELETE, RequestMethod.ALL];
/**
 * The metadata keys under which Nest keeps the HTTP method of a route, and the path of a route or of its controller.
 */
const NEST_METHOD = 'method';
const NEST_PATH = 'path';

interface Route {
  handler: Function;
  name: string;
  /** Such as `POST /orders`. */
  route: string;
  strategy: IdempotencyStrategy | undefined;
}

@Injectable()
export class KeyedRouteList {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** The keyed routes, such as `POST /orders`. */
  all(): string[] {
    return this.mutating().flatMap(({ strategy, route }) => (isKeyed(strategy) ? [route] : []));
  }

  /** @throws Error that names the routes whose repeats would not be safe */
  check(retryWindowHours: number): void {
    const routes = this.mutating();
    refuse('change something and have no @Idempotent strategy', ({ strategy }) => !strategy, routes);
    refuse(
      'are keyed and do not take @ClaimOf()',
      ({ strategy, handler }) => isKeyed(strategy) && !takesClaim(handler),
      routes,
    );
    refuse(
      `keep answers for less than the ${retryWindowHours} hours for which clients may repeat`,
      ({ strategy, handler }) => isKeyed(strategy) && policyOf(handler).retentionHours < retryWindowHours,
      routes,
    );
  }

  private mutating(): Route[] {
    return this.discovery.getControllers().flatMap(({ metatype, name }) => {
      const controller = metatype as Function;
      const prototype = controller.prototype as Record<string, Function>;
      return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
        const handler = prototype[method]!;
        const verb = Reflect.getMetadata(NEST_METHOD, handler) as RequestMethod | undefined;
        if (verb === undefined || !MUTATING.includes(verb)) return [];
        const route = `${RequestMethod[verb]} ${pathOf(controller, handler)}`;
        return [{ handler, name: `${name}.${method}`, route, strategy: strategyOf(handler) }];
      });
    });
  }
}

function pathOf(...parts: Function[]): string {
  const texts = parts.flatMap((part) => (Reflect.getMetadata(NEST_PATH, part) as string).split('/')).filter(Boolean);
  return `/${texts.join('/')}`;
}

function refuse(fault: string, isFaulty: (route: Route) => boolean, routes: readonly Route[]): void {
  const faulty = routes.filter(isFaulty).map(({ name }) => name);
  if (faulty.length > 0) throw new Error(`these routes ${fault}: ${faulty.join(', ')}`);
}
