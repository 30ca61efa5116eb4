/** Stripe's routes that only read: charges, disputes, payouts, changes of the balance, and events. */
import { Controller, Get, Param, Query, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Books } from './books';
import { type Form, listOf } from './form';
import { type PageQuery, pageOf } from './page';
import type { Shelf } from './shelf';
import { StripeDoor } from './stripe-door';
import { StripeErrorFilter } from './stripe-error.filter';

type Filters = PageQuery & Form;

@ApiExcludeController()
@Controller('v1')
@UseFilters(StripeErrorFilter)
export class ReportsController {
  constructor(
    private readonly books: Books,
    private readonly door: StripeDoor,
  ) {}

  @Get('charges')
  charges(@Query() query: Filters, @Res() reply: FastifyReply): Promise<void> {
    return this.list(reply, query, this.books.charges, ['payment_intent']);
  }

  @Get('charges/:id')
  charge(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    return this.door.read(reply, () => this.books.charges.get(id));
  }

  @Get('disputes')
  disputes(@Query() query: Filters, @Res() reply: FastifyReply): Promise<void> {
    return this.list(reply, query, this.books.disputes, ['payment_intent', 'charge']);
  }

  @Get('disputes/:id')
  dispute(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    return this.door.read(reply, () => this.books.disputes.get(id));
  }

  @Get('payouts')
  payouts(@Query() query: Filters, @Res() reply: FastifyReply): Promise<void> {
    return this.list(reply, query, this.books.payouts, ['status']);
  }

  @Get('payouts/:id')
  payout(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    return this.door.read(reply, () => this.books.payouts.get(id));
  }

  @Get('balance_transactions')
  transactions(@Query() query: Filters, @Res() reply: FastifyReply): Promise<void> {
    const { payout } = query;
    const isPaidBy = ({ id }: { id: string }) => payout === undefined || this.books.payoutOf(id) === payout;
    return this.list(reply, query, this.books.transactions, ['source', 'type', 'currency'], isPaidBy);
  }

  @Get('balance_transactions/:id')
  transaction(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    return this.door.read(reply, () => this.books.transactions.get(id));
  }

  @Get('events')
  events(@Query() query: Filters, @Res() reply: FastifyReply): Promise<void> {
    const types = listOf(query, 'types');
    const isAsked = ({ type }: { type: string }) => types.length === 0 || types.includes(type);
    return this.list(reply, query, this.books.events, ['type'], isAsked);
  }

  @Get('events/:id')
  event(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    return this.door.read(reply, () => this.books.events.get(id));
  }

  /** @param filters the properties that have to be what the query says. */
  private list<T extends { id: string; created: number }>(
    reply: FastifyReply,
    query: Filters,
    shelf: Shelf<T>,
    filters: (keyof T & string)[],
    isAsked: (item: T) => boolean = () => true,
  ): Promise<void> {
    const asked = filters.filter((name) => query[name] !== undefined);
    const matches = (item: T) => asked.every((name) => item[name] === query[name]) && isAsked(item);
    return this.door.read(reply, () => pageOf(shelf.all().filter(matches), query, `/v1/${shelf.kind}s`));
  }
}
