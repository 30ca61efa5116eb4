/** Stripe's routes of refunds. */
import { Body, Controller, Get, Param, Post, Query, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Books } from './books';
import type { Form } from './form';
import { type PageQuery, pageOf } from './page';
import { Refunds } from './refunds';
import { readRefund } from './requests';
import { StripeDoor } from './stripe-door';
import { StripeErrorFilter } from './stripe-error.filter';

@ApiExcludeController()
@Controller('v1/refunds')
@UseFilters(StripeErrorFilter)
export class RefundsController {
  constructor(
    private readonly books: Books,
    private readonly refunds: Refunds,
    private readonly door: StripeDoor,
  ) {}

  @Post()
  async create(@Body() body: Form | null, @Res() reply: FastifyReply): Promise<void> {
    const form = body ?? {};
    const asked = readRefund(form);
    await this.door.write(reply, { what: 'refund', form, work: (call) => this.refunds.create(call, asked) });
  }

  @Get()
  list(
    @Query() query: PageQuery & { payment_intent?: string; charge?: string },
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { payment_intent: intent, charge } = query;
    const asked = () =>
      this.books.refunds
        .all()
        .filter((refund) => intent === undefined || refund.payment_intent === intent)
        .filter((refund) => charge === undefined || refund.charge === charge);
    return this.door.read(reply, () => pageOf(asked(), query, '/v1/refunds'));
  }

  @Get(':id')
  get(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    return this.door.read(reply, () => this.books.refunds.get(id, 'refund'));
  }
}
