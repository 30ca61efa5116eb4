/** Who calls: API keys (kept as hashes), the guard that checks them, and the roles that routes ask for. */
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
import { ApiProblems, Problem } from '@shop/problem';

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

const PUBLIC = 'shop:public';
const ROLES = 'shop:roles';
/** `key=tenant/principal:role+role`, where key is the text itself or `sha256:` and its hex hash. */
const ENTRY = /^(?<key>[^=\s]+)=(?<tenant>[\w.-]{1,64})\/(?<principal>[\w.@-]{1,64}):(?<roles>[a-z+]+)$/;

/** Opens a route to callers without a key. */
export const Public = () => SetMetadata(PUBLIC, true);
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

@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly callers: Map<string, Caller>;

  constructor(
    private readonly reflector: Reflector,
    keys: ApiKey[],
  ) {
    this.callers = new Map(keys.map(({ sha256, ...caller }) => [sha256, caller]));
  }

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC, targets)) return true;
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; caller?: Caller }>();
    const caller = this.authenticate(request.headers['authorization']);
    const allowed = this.reflector.getAllAndOverride<Role[]>(ROLES, targets);
    if (allowed && !allowed.some((role) => caller.roles.includes(role))) {
      throw new Problem(403, 'forbidden', `this needs the role ${allowed.join(' or ')}`);
    }
    request.caller = caller;
    return true;
  }

  private authenticate(header: string | undefined): Caller {
    const challenge = { headers: { 'www-authenticate': 'Bearer' } };
    if (!header) throw new Problem(401, 'unauthenticated', 'send Authorization: Bearer <api key>', challenge);
    const key = /^Bearer +(\S+)$/i.exec(header)?.[1];
    const caller = key === undefined ? undefined : this.callers.get(hashOf(key));
    if (!caller) throw new Problem(401, 'unauthenticated', 'the API key is not known', challenge);
    return caller;
  }
}

function callerOf(context: ExecutionContext): Caller {
  return context.switchToHttp().getRequest<{ caller: Caller }>().caller;
}

function hashOf(key: string): string {
  return hash('sha256', key, 'hex');
}
