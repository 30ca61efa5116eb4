/** One versioned thing over HTTP: its JSON with its ETag, and 304 for a client that has this version already. */
import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { ApiConditionalRead } from './api-answers';
import { etagOf, unlessModified } from './etag';

export interface Versioned {
  version: number | string;
}

type Reads<T> = TypedPropertyDescriptor<(...args: never[]) => Promise<T>>;

/** For a GET whose method returns what was found, with its version; `json` makes of it what clients see. */
export function ConditionalGet<T extends Versioned>(json: (found: T) => object) {
  const decorate = applyDecorators(UseInterceptors(new ConditionalGetInterceptor(json)), ApiConditionalRead());
  return (target: object, name: string | symbol, method: Reads<T>): void => {
    decorate(target, name, method);
  };
}

class ConditionalGetInterceptor<T extends Versioned> implements NestInterceptor<T, object | undefined> {
  constructor(private readonly json: (found: T) => object) {}

  intercept(context: ExecutionContext, next: CallHandler<T>): Observable<object | undefined> {
    const http = context.switchToHttp();
    const { headers } = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    return next.handle().pipe(
      map((found) => {
        const etag = etagOf(found.version);
        void reply.header('etag', etag);
        if (!unlessModified(headers['if-none-match'], etag)) return this.json(found);
        void reply.status(304);
        return undefined;
      }),
    );
  }
}
