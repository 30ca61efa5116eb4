/** How an operator sees dead letters and acts on them (R46). */
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { type DeadLetter, type DeadLetterState, deadLetterStates } from '@shop/messaging';
import { ApiProblems } from '@shop/problem';
import { IsText } from '@shop/validation';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { DeadLetterGroupsView, DeadLetterView, MAX_REASON_LENGTH, WholeDeadLetterView } from './dead-letter.view';
import { DeadLettersService } from './dead-letters.service';

class DeadLettersQuery extends PageQuery {
  @ApiPropertyOptional({ enum: deadLetterStates })
  @IsOptional()
  @IsIn(deadLetterStates)
  state?: DeadLetterState;

  @IsOptional()
  @IsUUID(undefined, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

class DeadLetterGroupsQuery {
  @ApiPropertyOptional({ enum: deadLetterStates, default: 'open' })
  @IsOptional()
  @IsIn(deadLetterStates)
  state: DeadLetterState = 'open';
}

class DeadLetterActBody {
  @ApiProperty({ description: 'why', example: 'mended in the release of today' })
  @IsText(MAX_REASON_LENGTH)
  reason: string;
}

const ApiLetterId = () => ApiParam({ name: 'id', format: 'uuid', example: '5f0a3d0e-4c1b-4d3a-9f57-0b9e6f0a1c2d' });

@ApiTags('dead letters')
@Controller('dead-letters')
@Roles('operator')
export class DeadLettersController {
  constructor(private readonly letters: DeadLettersService) {}

  @Get()
  @ApiOperation({
    operationId: 'listDeadLetters',
    summary: 'Messages that were given up on, newest first',
    description: 'Those of your tenant. With the role `platform` also those of which nobody knows whose they are.',
  })
  @ApiAnswer(200, PageOf(DeadLetterView), { description: 'a page' })
  list(@CallerOf() caller: Caller, @Query() { state, cursor, limit }: DeadLettersQuery): Promise<Page<DeadLetter>> {
    const read = (limit: number) => this.letters.list(caller, { state, before: cursor, limit });
    return readPage(limit, read, { item: (letter: DeadLetter) => letter, cursor: ({ id }) => id });
  }

  @Get('groups')
  @ApiOperation({
    operationId: 'groupDeadLetters',
    summary: 'Messages that were given up on, by kind and by how they failed',
    description:
      'The largest groups first, of the newest twenty thousand messages; those that you also see in the list.',
  })
  @ApiAnswer(200, DeadLetterGroupsView, { description: 'at most 200 groups' })
  async groups(@CallerOf() caller: Caller, @Query() { state }: DeadLetterGroupsQuery): Promise<DeadLetterGroupsView> {
    return { groups: await this.letters.groups(caller, state) };
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getDeadLetter',
    summary: 'One of them, with the message itself',
    description: 'With the last error, and with what operators have done about it.',
  })
  @ApiLetterId()
  @ApiAnswer(200, WholeDeadLetterView, { description: 'the dead letter as it is now' })
  @ApiProblems({ 404: ['dead_letter_not_found'] })
  async get(@CallerOf() caller: Caller, @Param('id') id: string) {
    const { content, ...rest } = await this.letters.get(caller, id);
    return { ...rest, content: content.toString() };
  }

  @Post(':id/replay')
  @Idempotent({ strategy: 'atomic' })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'replayDeadLetter',
    summary: 'Hands the message to its mailbox again',
    description: 'Under its own id: what was done stays done once. One that was too large to be kept whole is refused.',
  })
  @ApiLetterId()
  @ApiAnswer(200, DeadLetterView, { description: 'handed over', headers: ['idempotent-replayed'] })
  @ApiProblems({ 404: ['dead_letter_not_found'], 409: ['dead_letter_cut'] })
  replay(
    @CallerOf() caller: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() { reason }: DeadLetterActBody,
  ): Promise<Outcome> {
    return this.letters.replay(caller, claim, id, reason);
  }

  @Post(':id/discard')
  @Idempotent({ strategy: 'atomic' })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'discardDeadLetter',
    summary: 'Settles that nothing more is to be done about it',
    description: 'It can still be read, with who settled it and why.',
  })
  @ApiLetterId()
  @ApiAnswer(200, DeadLetterView, { description: 'settled', headers: ['idempotent-replayed'] })
  @ApiProblems({ 404: ['dead_letter_not_found'] })
  discard(
    @CallerOf() caller: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() { reason }: DeadLetterActBody,
  ): Promise<Outcome> {
    return this.letters.discard(caller, claim, id, reason);
  }
}
