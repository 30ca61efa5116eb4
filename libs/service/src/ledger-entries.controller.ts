/** What the ledger of this service knows of commands, for a screen about the saga that has sent them. */
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiPropertyOptional, ApiSchema, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, isService, Roles } from '@shop/http';
import { Idempotency } from '@shop/idempotency';
import { Matches } from 'class-validator';

/** The name of the service: the scope of its commands in the ledger. */
export const SERVICE = Symbol('service');

const states = ['processing', 'completed', 'erased'] as const;

/** Of commands, as sagas make them: the saga, the step and the action, between slashes. */
const IDS = /^[^,\s]{1,255}(,[^,\s]{1,255}){0,39}$/;

class LedgerEntriesQuery {
  @ApiProperty({
    description: 'ids of commands, at most 40; those that were never taken are left out',
    example: '01a20621-a6cd-74b9-a1c3-459d717a98c4/charge/do,01a20621-a6cd-74b9-a1c3-459d717a98c4/charge/undo',
  })
  @Matches(IDS, { message: 'ids must be 1 to 40 ids with commas between them' })
  ids: string;
}

@ApiSchema({ name: 'LedgerEntry', description: 'What is known of a command that was taken.' })
class LedgerEntryView {
  @ApiProperty({ example: '01a20621-a6cd-74b9-a1c3-459d717a98c4/charge/do' })
  id: string;

  @ApiProperty({ enum: states, example: 'completed' })
  state: (typeof states)[number];

  @ApiPropertyOptional({ type: 'integer', description: '200 when it was done, 409 when it was refused', example: 200 })
  answerStatus?: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiPropertyOptional({ format: 'date-time', example: '2026-03-01T12:00:00.250Z' })
  completedAt?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'until when a repeat gets this answer' })
  expiresAt?: string;
}

@ApiSchema({ name: 'LedgerEntries', description: 'In the order in which they were taken.' })
class LedgerEntriesView {
  @ApiProperty({ type: [LedgerEntryView] })
  items: LedgerEntryView[];
}

@ApiTags('idempotency')
@Controller('ledger-entries')
export class LedgerEntriesController {
  constructor(
    @Inject(SERVICE) private readonly service: string,
    private readonly idempotency: Idempotency,
  ) {}

  @Get()
  @Roles('operator', 'platform')
  @ApiOperation({
    operationId: 'listLedgerEntries',
    summary: 'What is known of commands by their ids',
    description:
      'For other services of the shop and the role `platform`. Others find none: an entry does not tell whose it is. The ' +
      'order service shows operators those of a saga of theirs.',
  })
  @ApiAnswer(200, LedgerEntriesView, { description: 'those that were taken' })
  async list(@CallerOf() caller: Caller, @Query() { ids }: LedgerEntriesQuery): Promise<LedgerEntriesView> {
    if (!isService(caller) && !caller.roles.includes('platform')) return { items: [] };
    const found = await this.idempotency.describe(ids.split(',').map((key) => ({ scope: this.service, key })));
    return { items: found.map(({ scope: _, key: id, ...entry }) => ({ id, ...entry })) };
  }
}
