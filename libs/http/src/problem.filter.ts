/** Every error that leaves over HTTP is problem+json with a stable code; never a stack, never a query (RFC 9457). */
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { isPassing, LaneFullError } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { RetryableError } from '@shop/resilience';
import type { FastifyReply, FastifyRequest } from 'fastify';

const OVERLOAD_RETRY_AFTER_SECONDS = '1';

/** Codes for what the framework itself refuses, by status. */
const FRAMEWORK_CODES: Record<number, [code: string, detail: string]> = {
  400: ['malformed_request', 'the request cannot be read; are its address and its body right?'],
  403: ['forbidden', 'nobody is let in at this address'],
  404: ['not_found', 'there is no such route'],
  405: ['method_not_allowed', 'this route has no such method; Allow names those that it has'],
  408: ['request_timeout', 'the request did not arrive in time'],
  412: ['precondition_failed', 'what is here is not what If-Match or If-Unmodified-Since asks for'],
  413: ['body_too_large', 'the body is larger than this service takes'],
  414: ['uri_too_long', 'a part of the address is longer than any name of ours'],
  415: ['unsupported_media_type', 'send application/json'],
  416: ['range_not_satisfiable', 'there is nothing in the range that was asked for'],
  417: ['expectation_failed', 'the only expectation that is met is 100-continue'],
  431: ['headers_too_large', 'the headers are larger than this service takes'],
  501: ['not_implemented', 'this service does not know how to do that'],
  505: ['http_version_not_supported', 'send HTTP/1.1'],
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = this.problemOf(error);
    // A stream that has begun cannot get another status.
    if (reply.sent || reply.raw.headersSent) return;
    sendProblem(reply, problem);
  }

  private problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (error instanceof LaneFullError) return overloaded(error);
    const status = statusOfFault(error);
    if (status !== undefined) return frameworkProblem(status);
    if (error instanceof RetryableError || isPassing(error)) {
      // Its place in the code says nothing, and there may be many of them.
      this.logger.warn({ reason: (error as Error).message }, 'http.request.failed');
      return new Problem(503, 'unavailable', 'the service cannot do this right now; the same request may come again', {
        headers: { 'retry-after': OVERLOAD_RETRY_AFTER_SECONDS },
      });
    }
    this.logger.error({ err: error }, 'http.request.failed');
    return new Problem(500, 'internal_error', 'something went wrong here; the same request may come again');
  }
}

/**
 * The status of what the framework says against a request; undefined for any other error. It has three ways to say it: an
 * exception of Nest, an error of the file server, and that of an upload that ended early, which nobody has to look at.
 * Errors of outside calls may have a status too, but say nothing about our client.
 */
export function statusOfFault(error: unknown): number | undefined {
  const { statusCode = 500, expose, code } = (error ?? {}) as { statusCode?: number; expose?: boolean; code?: string };
  const isOfFramework = expose === true || code === 'ECONNRESET';
  const status = error instanceof HttpException ? error.getStatus() : isOfFramework ? statusCode : 500;
  return status >= 400 && status < 500 ? status : undefined;
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  void reply
    .status(problem.getStatus())
    .headers(problem.headers)
    .header('content-type', 'application/problem+json')
    .send(JSON.stringify(problem.body));
}

/** Answers without reading the body. One that was announced may be long, so the connection ends with the answer. */
export function refuse({ headers }: Pick<FastifyRequest, 'headers'>, reply: FastifyReply, problem: Problem): void {
  if (announcesBody(headers)) void reply.header('connection', 'close');
  sendProblem(reply, problem);
}

export const announcesBody = (headers: FastifyRequest['headers']): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** @param where what is wrong, when more is known than the status */
export function frameworkProblem(status: number, where?: string): Problem {
  const [code, detail] = FRAMEWORK_CODES[status] ?? ['request_refused', 'the request was refused'];
  return new Problem(status, code, where ?? detail);
}

function overloaded(cause: Error): Problem {
  return new Problem(503, 'overloaded', 'too much work is waiting; try again later', {
    cause,
    headers: { 'retry-after': OVERLOAD_RETRY_AFTER_SECONDS },
  });
}
