/** Lets in requests of our own page, and with `@SignedIn` only those of an operator. */
import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Problem } from '@shop/problem';
import type { FastifyRequest } from 'fastify';
import { ConsoleSettings } from '../console-settings';
import { cookieIn } from './cookie';
import { isFromOwnPage } from './same-site';
import { type Session, Sessions } from './session';

type Request = FastifyRequest & { session?: Session };
type Needed = 'operator' | 'platform';

const NEEDED = 'console:needed';

/** `platform`: for those who may see what belongs to no tenant. */
export const SignedIn = (as: Needed = 'operator') => SetMetadata(NEEDED, as);

export const SessionOf = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<Request>().session!,
);

@Injectable()
export class SessionGuard implements CanActivate {
  constructor(
    private readonly sessions: Sessions,
    private readonly settings: ConsoleSettings,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    const needed = neededBy(context);
    if (needed === undefined && request.method === 'GET') return true;
    if (!isFromOwnPage({ method: request.method, headers: request.headers }, this.settings.origin)) {
      throw new Problem(403, 'foreign_page', 'only the page of the console may ask this');
    }
    if (needed === undefined) return true;
    request.session = this.sessions.open(cookieIn(request.headers.cookie, this.settings.cookie));
    if (!request.session) throw new Problem(401, 'signed_out', 'sign in first');
    if (needed === 'platform' && !request.session.isPlatform) {
      throw new Problem(403, 'forbidden', 'this needs the role platform');
    }
    return true;
  }
}

function neededBy(context: ExecutionContext): Needed | undefined {
  const at = [context.getHandler(), context.getClass()];
  return at.map((one) => Reflect.getMetadata(NEEDED, one) as Needed | undefined).find((one) => one !== undefined);
}
