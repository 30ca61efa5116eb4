/** Who calls: API keys (kept as hashes), the first look at a request, which checks them, and the roles that routes ask for. */
import { hash } from 'node:crypto';
import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiProblems, Problem } from '@shop/problem';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { refuse } from './problem.filter';

/**
 * `customer` places orders; `operator` also manages products, stock, reservations and payments, and acts on sagas.
 * `platform`, beside `operator`, is for those who run the system: they see what belongs to no tenant.
 */
export const roles = ['customer', 'operator', 'platform'] as const;
export type Role = (typeof roles)[number];

export interface Caller {
  tenant: string;
  principal: string;
  roles: readonly Role[];
}

export interface ApiKey extends Caller {
  /** Hex SHA-256 of the key; the key itself is not kept. */
  sha256: string;
}

const ROLES = 'shop:roles';
/** `key=tenant/principal:role+role`, where key is the text itself or `sha256:` and its hex hash. */
const ENTRY = /^(?<key>[^=\s]+)=(?<tenant>[\w.-]{1,64})\/(?<principal>[\w.@-]{1,64}):(?<roles>[a-z+]+)$/;

interface RouteSettings {
  public?: boolean;
}

/** The settings of a route that is open to callers without a key, for Fastify. */
export const publicRoute: RouteSettings = { public: true };
/** Opens a route to callers without a key. */
export const Public = (): MethodDecorator => RouteConfig(publicRoute);
/** Lets in callers that have one of these roles. */
export const Roles = (...allowed: Role[]) =>
  applyDecorators(SetMetadata(ROLES, allowed), ApiProblems({ 403: ['forbidden'] }));
/** The authenticated caller, as a parameter of a controller's method. */
export const CallerOf = createParamDecorator((_: unknown, context: ExecutionContext) => callerOf(context));

const HASH = /^[0-9a-f]{64}$/;
const HASHED = 'sha256:';

/** Reads a comma-separated list of entries; throws an Error that names the faulty entry's position, never the key. */
export function parseApiKeys(text: string): ApiKey[] {
  const entries = text.split(',').map((entry) => entry.trim());
  const keys = entries.filter(Boolean).map((entry, index) => readEntry(entry, index + 1));
  if (keys.length === 0) throw new Error('must list at least one key=tenant/principal:role');
  return keys;
}

const DEVELOPMENT_KEY = 'dev-key';
const LEAST_LENGTH = 16;

/** Why the list is not fit for production, by the positions of its entries; the list must be readable. */
export function weaknessesOf(text: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  const listed = entries.filter(Boolean);
  const keys = parseApiKeys(text);
  return keys.flatMap(({ sha256, tenant }, index) => {
    const written = listed[index]!.split('=', 1)[0]!;
    const place = `entry ${index + 1} of API_KEYS`;
    const other = keys.findIndex((key) => key.sha256 === sha256 && key.tenant !== tenant);
    return [
      ...(sha256 === hashOf(DEVELOPMENT_KEY) ? [`${place} is the key of development`] : []),
      ...(!written.startsWith(HASHED) && written.length < LEAST_LENGTH
        ? [`${place} has a key of fewer than ${LEAST_LENGTH} characters`]
        : []),
      ...(other > index ? [`${place} has the key of entry ${other + 1}, and another tenant`] : []),
    ];
  });
}

function readEntry(entry: string, position: number): ApiKey {
  const groups = ENTRY.exec(entry)?.groups;
  const granted = groups?.['roles']?.split('+') ?? [];
  if (!groups || !granted.every((role): role is Role => roles.includes(role as Role))) {
    throw new Error(`entry ${position} must look like key=tenant/principal:customer+operator`);
  }
  const key = groups['key']!;
  const sha256 = key.startsWith(HASHED) ? key.slice(HASHED.length).toLowerCase() : hashOf(key);
  if (!HASH.test(sha256)) throw new Error(`entry ${position} must have 64 hexadecimal digits behind sha256:`);
  return { sha256, tenant: groups['tenant']!, principal: groups['principal']!, roles: granted };
}

/** To be called before the routes are made. A stranger is answered before its body is read. */
export function askWhoCalls(fastify: FastifyInstance, keys: readonly ApiKey[]): void {
  const callers = new Map(keys.map(({ sha256, ...caller }) => [sha256, caller]));
  fastify.addHook('onRequest', (request: FastifyRequest & { caller?: Caller }, reply, done) => {
    const { public: isPublic } = request.routeOptions.config as RouteSettings;
    if (isPublic) return done();
    const caller = authenticate(callers, request.headers.authorization);
    if (caller instanceof Problem) return refuse(request, reply, caller);
    request.caller = caller;
    done();
  });
}

function authenticate(callers: ReadonlyMap<string, Caller>, header: string | undefined): Caller | Problem {
  const challenge = { headers: { 'www-authenticate': 'Bearer' } };
  if (!header) return new Problem(401, 'unauthenticated', 'send Authorization: Bearer <api key>', challenge);
  const key = /^Bearer +(\S+)$/i.exec(header)?.[1];
  const caller = key === undefined ? undefined : callers.get(hashOf(key));
  return caller ?? new Problem(401, 'unauthenticated', 'the API key is not known', challenge);
}

/** Lets callers do what their roles allow. Who they are is known already. */
@Injectable()
export class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const allowed = this.reflector.getAllAndOverride<Role[]>(ROLES, [context.getHandler(), context.getClass()]);
    if (allowed && !allowed.some((role) => callerOf(context).roles.includes(role))) {
      throw new Problem(403, 'forbidden', `this needs the role ${allowed.join(' or ')}`);
    }
    return true;
  }
}

function callerOf(context: ExecutionContext): Caller {
  return context.switchToHttp().getRequest<{ caller: Caller }>().caller;
}

function hashOf(key: string): string {
  return hash('sha256', key, 'hex');
}
