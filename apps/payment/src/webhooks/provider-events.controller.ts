/** How those who run the system see the events of the provider. They are of the whole account, so of no tenant. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { ApiAnswer, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { IsIn, IsOptional } from 'class-validator';
import { MoreThan, type Repository } from 'typeorm';
import { type EventStatus, eventStatuses } from './provider-event';
import { ProviderEventEntity } from './provider-event.entity';
import { ProviderEventView } from './provider-event.view';

class ProviderEventsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: eventStatuses, default: 'open' })
  @IsOptional()
  @IsIn(eventStatuses)
  status: EventStatus = 'open';
}

@ApiTags('webhooks')
@Controller('provider-events')
@Roles('platform')
export class ProviderEventsController {
  constructor(@InjectRepository(ProviderEventEntity) private readonly events: Repository<ProviderEventEntity>) {}

  @Get()
  @ApiOperation({
    operationId: 'listProviderEvents',
    summary: 'Events of the payment provider, page by page',
    description: 'In order of their ids. Events that have ended are kept for 30 days.',
  })
  @ApiAnswer(200, PageOf(ProviderEventView), { description: 'a page' })
  list(@Query() { status, cursor: after = '', limit }: ProviderEventsQuery): Promise<Page<ProviderEventView>> {
    const read = (limit: number) =>
      this.events.find({ where: { status, id: MoreThan(after) }, order: { id: 'ASC' }, take: limit });
    return readPage(limit, read, { item: (event: ProviderEventView) => event, cursor: ({ id }) => id });
  }
}
