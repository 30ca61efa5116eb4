/** Formats every error under /v1 as Stripe does, not as problem+json, because the SDK reads only that format. */
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import { statusOfFault } from '@shop/http';
import type { Logger } from '@shop/observability';
import type { FastifyReply } from 'fastify';
import { LOGGER } from '@shop/service';
import { StripeError, unavailable } from './stripe-error';

@Catch()
export class StripeErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // The framework does not have the connection any more, or the answer has already begun.
    if (reply.sent) return;
    const { status, headers, body } = this.wordsFor(error);
    void reply.status(status).headers(headers).send(body);
  }

  private wordsFor(error: unknown): StripeError {
    if (error instanceof StripeError) return error;
    const status = statusOfFault(error);
    if (status !== undefined) {
      return new StripeError(status, { type: 'invalid_request_error', message: (error as Error).message });
    }
    this.logger.error({ err: error }, 'sandbox.request.failed');
    return unavailable();
  }
}
