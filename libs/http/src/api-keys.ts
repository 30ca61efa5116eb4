/** API keys as the environment lists them (kept as hashes), their roles, and the roles that routes ask for. */
import { hash } from 'node:crypto';
import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
} from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiProblems, Problem } from '@shop/problem';

/**
 * `customer` places orders and sees its own; `operator` sees those of all of its tenant, manages products, stock,
 * reservations and payments, and acts on sagas. `admin` manages API keys, and hands out the roles that it has itself.
 * `platform`, beside one of these, is for those who run the system: what belongs to no tenant, or to any.
 */
export const roles = ['customer', 'operator', 'admin', 'platform'] as const;
export type Role = (typeof roles)[number];

export interface Caller {
  tenant: string;
  principal: string;
  roles: readonly Role[];
}

export interface ApiKey extends Caller {
  /** Hex SHA-256 of the key; the key itself is not kept. */
  sha256: string;
  /** See `service-keys.ts`. It has no roles. */
  isService?: true;
}

/** What an entry of `API_KEYS` has in the place of roles. No route asks for it. */
const SERVICE = 'service';
const ROLES = 'shop:roles';
const PUBLIC = 'shop:public';
/** What names a tenant or a principal: nothing that could end the one and begin the other where both are in one text. */
export const TENANT = /^[\w.-]{1,64}$/;
export const PRINCIPAL = /^[\w.@-]{1,64}$/;
/** `key=tenant/principal:role+role`, or `:service`, where key is the text itself or `sha256:` and its hex hash. */
const ENTRY = /^(?<key>[^=\s]+)=(?<tenant>[\w.-]{1,64})\/(?<principal>[\w.@-]{1,64}):(?<roles>[a-z+]+)$/;

/** What a route says of itself to Fastify. */
export interface RouteSettings {
  public?: boolean;
  /** See `OwnTurns`. */
  ownTurns?: boolean;
  /** The method gets the bytes of the body as they came: whoever signs a body signs its bytes. */
  rawBody?: RawBody;
}

export interface RawBody {
  /** The body is read before anybody knows who has sent it. */
  maxBytes: number;
}

/** The settings of a route that is open to callers without a key, for Fastify. */
export const publicRoute: RouteSettings = { public: true };
/** Opens a route to callers without a key. One that takes a signed body looks at the signature itself. */
export const Public = (settings: Pick<RouteSettings, 'rawBody'> = {}): MethodDecorator =>
  applyDecorators(RouteConfig({ ...publicRoute, ...settings }), SetMetadata(PUBLIC, true));
export const isPublicRoute = (handler: Function): boolean => Reflect.getMetadata(PUBLIC, handler) === true;
/** Lets in callers that have one of these roles. */
export const Roles = (...allowed: Role[]) =>
  applyDecorators(SetMetadata(ROLES, allowed), ApiProblems({ 403: ['forbidden'] }));
/** The roles of which a caller needs one; those of the method count more than those of its controller. */
export const rolesOf = (handler: Function, controller: Function): readonly Role[] | undefined =>
  (Reflect.getMetadata(ROLES, handler) ?? Reflect.getMetadata(ROLES, controller)) as Role[] | undefined;
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

/** Of those who call, and of the order service, on a machine of a developer. */
const DEVELOPMENT_KEYS = [
  'dev-key',
  'dev-neighbour-key',
  'dev-payment-neighbour-key',
  'dev-fulfilment-neighbour-key',
].map((key) => hashOf(key));
const LEAST_LENGTH = 16;

/** Why a key that we show to others is not fit for production, to be read behind its name. */
export function weaknessesOfKey(key: string): string[] {
  if (DEVELOPMENT_KEYS.includes(hashOf(key))) return ['is the key of development'];
  return key.length < LEAST_LENGTH ? [`has fewer than ${LEAST_LENGTH} characters`] : [];
}

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
      ...(DEVELOPMENT_KEYS.includes(sha256) ? [`${place} is the key of development`] : []),
      ...(!written.startsWith(HASHED) && written.length < LEAST_LENGTH
        ? [`${place} has a key of fewer than ${LEAST_LENGTH} characters`]
        : []),
      ...(other > index ? [`${place} has the key of entry ${other + 1}, and another tenant`] : []),
    ];
  });
}

export const isRole = (text: unknown): text is Role => roles.includes(text as Role);

function readEntry(entry: string, position: number): ApiKey {
  const groups = ENTRY.exec(entry)?.groups;
  const granted = groups?.['roles']?.split('+') ?? [];
  const isService = granted.includes(SERVICE);
  if (isService && granted.length > 1) throw new Error(`entry ${position} must have no role beside ${SERVICE}`);
  if (!groups || !(isService || granted.every(isRole))) {
    throw new Error(`entry ${position} must look like key=tenant/principal:customer+operator`);
  }
  const key = groups['key']!;
  const sha256 = key.startsWith(HASHED) ? key.slice(HASHED.length).toLowerCase() : hashOf(key);
  if (!HASH.test(sha256)) throw new Error(`entry ${position} must have 64 hexadecimal digits behind sha256:`);
  const named = { sha256, tenant: groups['tenant']!, principal: groups['principal']! };
  return isService ? { ...named, roles: [], isService } : { ...named, roles: granted.filter(isRole) };
}

/** Lets callers do what their roles allow. Who they are is known already. */
@Injectable()
export class RolesGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http' || isPublicRoute(context.getHandler())) return true;
    const allowed = rolesOf(context.getHandler(), context.getClass());
    if (allowed && !allowed.some((role) => callerOf(context).roles.includes(role))) {
      throw new Problem(403, 'forbidden', `this needs the role ${allowed.join(' or ')}`);
    }
    return true;
  }
}

function callerOf(context: ExecutionContext): Caller {
  return context.switchToHttp().getRequest<{ caller: Caller }>().caller;
}

/** Hex SHA-256, by which a key is known. */
export function hashOf(key: string): string {
  return hash('sha256', key, 'hex');
}
