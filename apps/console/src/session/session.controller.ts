/** Signing in and out, and who is signed in. */
import { Body, Controller, Delete, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { ConsoleSettings } from '../console-settings';
import { removeCookie, setCookie } from './cookie';
import { markOf, SESSION_SECONDS, type Session, Sessions } from './session';
import { SessionOf, SignedIn } from './session.guard';
import { SignIn } from './sign-in';

class SessionBody {
  /** An API key or a token: what may stand in a header. */
  @Matches(/^[\x21-\x7e]{1,2048}$/, { message: 'key must be an API key' })
  key: string;
}

interface SessionView {
  /** The same for everybody who has signed in with the same key. */
  mark: string;
  isPlatform: boolean;
  until: string;
}

@ApiExcludeController()
@Controller('session')
export class SessionController {
  constructor(
    private readonly signing: SignIn,
    private readonly sessions: Sessions,
    private readonly settings: ConsoleSettings,
  ) {}

  @Post()
  @HttpCode(201)
  async begin(@Body() { key }: SessionBody, @Res({ passthrough: true }) reply: FastifyReply): Promise<SessionView> {
    const isPlatform = await this.signing.check(key);
    const sealed = this.sessions.seal({ key, isPlatform });
    void reply.header('set-cookie', setCookie(sealed, { ...this.settings.cookie, maxAgeSeconds: SESSION_SECONDS }));
    return viewOf(this.sessions.open(sealed)!);
  }

  @Get()
  @SignedIn()
  show(@SessionOf() session: Session): SessionView {
    return viewOf(session);
  }

  @Delete()
  @HttpCode(204)
  end(@Res({ passthrough: true }) reply: FastifyReply): void {
    void reply.header('set-cookie', removeCookie(this.settings.cookie));
  }
}

const viewOf = ({ key, isPlatform, until }: Session): SessionView => ({
  mark: markOf(key),
  isPlatform,
  until: new Date(until).toISOString(),
});
