/** What the provider has sent to our bank, for those who run the system: a payout is of the whole account. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { ApiAnswer, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { MoreThan, type Repository } from 'typeorm';
import { PayoutEntity } from './payout.entity';
import { PayoutView } from './payout.view';

@ApiTags('payouts')
@Controller('payouts')
@Roles('platform')
export class PayoutsController {
  constructor(@InjectRepository(PayoutEntity) private readonly payouts: Repository<PayoutEntity>) {}

  @Get()
  @ApiOperation({
    operationId: 'listPayouts',
    summary: 'All payouts, page by page',
    description: 'As the provider told of them last, in order of their ids.',
  })
  @ApiAnswer(200, PageOf(PayoutView), { description: 'a page' })
  list(@Query() { cursor: after = '', limit }: PageQuery): Promise<Page<PayoutView>> {
    const read = (limit: number) =>
      this.payouts.find({ where: { id: MoreThan(after) }, order: { id: 'ASC' }, take: limit });
    return readPage(limit, read, { item: (payout: PayoutView) => payout, cursor: ({ id }) => id });
  }
}
