/** Every other route under /v1. The SDK takes an unknown error body for a success, so these need Stripe's form too. */
import { All, Controller, Req, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { unknownRoute } from './stripe-error';
import { StripeErrorFilter } from './stripe-error.filter';

@ApiExcludeController()
@Controller('v1')
@UseFilters(StripeErrorFilter)
export class UnknownRoutesController {
  @All('*')
  unknown(@Req() request: FastifyRequest): never {
    throw unknownRoute(request.method, request.url.split('?')[0]!);
  }
}
