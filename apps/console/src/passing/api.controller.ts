/** Passes on what the page asks of the services. The key comes from the session, and never from the page. */
import { Controller, Delete, Get, Post, Put, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Problem } from '@shop/problem';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConsoleSettings } from '../console-settings';
import { removeCookie } from '../session/cookie';
import type { Session } from '../session/session';
import { SessionOf, SignedIn } from '../session/session.guard';
import { allowedRoute, type Route } from './allowed-routes';
import { Streams } from './streams';
import { type Question, Upstream } from './upstream';

/** What of the headers of the page, and of those of the answer, is passed on. */
const PASSED_UP = ['accept', 'idempotency-key', 'last-event-id', 'traceparent'];
const PASSED_DOWN = ['content-type', 'retry-after', 'idempotent-replayed', 'location'];

const ANYTHING = ':service/*';

@ApiExcludeController()
@SignedIn()
@Controller('api')
export class ApiController {
  constructor(
    private readonly upstream: Upstream,
    private readonly streams: Streams,
    private readonly settings: ConsoleSettings,
  ) {}

  @Get(ANYTHING)
  async read(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @SessionOf() session: Session) {
    const { route, question } = this.questionOf(request, session);
    if (route.streams) return this.streams.pass(question, reply);
    await this.answer(question, reply);
  }

  @Post(ANYTHING)
  async post(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @SessionOf() session: Session) {
    await this.answer(this.questionOf(request, session).question, reply);
  }

  @Put(ANYTHING)
  async put(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @SessionOf() session: Session) {
    await this.answer(this.questionOf(request, session).question, reply);
  }

  @Delete(ANYTHING)
  async remove(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @SessionOf() session: Session) {
    await this.answer(this.questionOf(request, session).question, reply);
  }

  private questionOf(request: FastifyRequest, { key }: Session): { route: Route; question: Question } {
    const { service = '', path, query } = partsOf(request.url);
    const route = allowedRoute(service, request.method, path);
    if (!route) throw new Problem(404, 'not_passed_on', 'the console does not ask that');
    const { method, headers, body } = request;
    const question: Question = {
      service: route.service,
      method,
      path: `${path}${query}`,
      key,
      headers: only(PASSED_UP, (name) => headers[name]),
      body: body === undefined || body === null ? undefined : JSON.stringify(body),
    };
    return { route, question };
  }

  private async answer(question: Question, reply: FastifyReply): Promise<void> {
    const { status, headers, body } = await this.upstream.ask(question);
    // The key was taken away: there is nothing left that this session can do.
    if (status === 401) void reply.header('set-cookie', removeCookie(this.settings.cookie));
    void reply.status(status).headers(only(PASSED_DOWN, (name) => headers.get(name)));
    await reply.send(status === 204 ? undefined : body);
  }
}

/** `/api/order/sagas?limit=1` as `order`, `/sagas` and `?limit=1`, undecoded: it is passed on as it came. */
function partsOf(url: string): { service: string | undefined; path: string; query: string } {
  const at = url.indexOf('?');
  const [address, query] = at === -1 ? [url, ''] : [url.slice(0, at), url.slice(at)];
  const [, , service, ...rest] = address.split('/');
  return { service, path: `/${rest.join('/')}`, query };
}

function only(names: readonly string[], read: (name: string) => string | string[] | null | undefined) {
  const found = names.map((name) => [name, read(name)] as const).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(found) as Record<string, string>;
}
