/** The routes of an app with the roles that they ask for, and the check that stops the start when one asks for none. */
import { type INestApplicationContext, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { isPublicRoute, type Role, rolesOf } from './api-keys';

/** The metadata keys under which Nest keeps the method of a route, and the path of a route or of its controller. */
const NEST_METHOD = 'method';
const NEST_PATH = 'path';

export interface RouteRoles {
  /** Such as `OrdersController.get`. */
  name: string;
  method: string;
  /** Such as `/orders/:id`. */
  path: string;
  /** Of which a caller needs one. Undefined for a route that is open to everybody, or that says nothing. */
  roles: readonly Role[] | undefined;
  isPublic: boolean;
}

export function routesOf(app: INestApplicationContext): RouteRoles[] {
  const scanner = new MetadataScanner();
  const controllers = new DiscoveryService(app.get(ModulesContainer)).getControllers();
  return controllers.flatMap(({ metatype, name }) => {
    const controller = metatype as Function;
    const prototype = controller.prototype as Record<string, Function>;
    return scanner.getAllMethodNames(prototype).flatMap((methodName) => {
      const handler = prototype[methodName]!;
      const verb = Reflect.getMetadata(NEST_METHOD, handler) as RequestMethod | undefined;
      if (verb === undefined) return [];
      return {
        name: `${name}.${methodName}`,
        method: RequestMethod[verb],
        path: pathOf(controller, handler),
        roles: rolesOf(handler, controller),
        isPublic: isPublicRoute(handler),
      };
    });
  });
}

/** Thrown when routes do not say who may call them. With its code, whoever starts the service reads one sentence. */
export class OpenRoutesError extends Error {
  readonly code = 'OPEN_ROUTES';
}

/** @throws OpenRoutesError that names all routes that would let everybody with a key in */
export function checkRoles(app: INestApplicationContext): void {
  const open = routesOf(app).filter(({ roles, isPublic }) => !isPublic && !roles?.length);
  if (open.length === 0) return;
  throw new OpenRoutesError(`these routes have neither @Roles nor @Public: ${open.map(({ name }) => name).join(', ')}`);
}

function pathOf(...parts: Function[]): string {
  const texts = parts.flatMap((part) => (Reflect.getMetadata(NEST_PATH, part) as string).split('/')).filter(Boolean);
  return `/${texts.join('/')}`;
}
