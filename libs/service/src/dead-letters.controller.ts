/** What an operator sees of the messages that were given up on, and does about them (R46). */
import { Body, Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiPropertyOptional, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf, pageOf, PageQuery, Roles } from '@shop/http';
import { type Answer, answerWith, type Claim, ClaimOf, Idempotency, Idempotent, type Outcome } from '@shop/idempotency';
import {
  type Act,
  actOnDeadLetter,
  type DeadLetter,
  type DeadLetterState,
  deadLetterStates,
  findDeadLetter,
  listDeadLetters,
  lockDeadLetter,
  payloadOf,
  Publisher,
} from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database, type Tx } from '@shop/postgres';
import { IsText, Problem } from '@shop/problem';
import { IsIn, IsOptional, isUUID, IsUUID } from 'class-validator';
import { LOGGER } from './logger';

class DeadLettersQuery extends PageQuery {
  @ApiPropertyOptional({ enum: deadLetterStates })
  @IsOptional()
  @IsIn(deadLetterStates)
  state?: DeadLetterState;

  @IsOptional()
  @IsUUID(undefined, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

class DeadLetterActBody {
  @ApiProperty({ example: 'mended in the release of today' })
  @IsText(200)
  reason: string;
}

@ApiTags('dead letters')
@Controller('dead-letters')
@Roles('operator')
export class DeadLettersController {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly publisher: Publisher,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Messages that were given up on, newest first: those of your tenant, and those of none' })
  async list(@CallerOf() { tenant }: Caller, @Query() { state, cursor, limit }: DeadLettersQuery) {
    const rows = await listDeadLetters(this.database, { tenant, state, before: cursor, limit: limit + 1 });
    return pageOf(rows, limit, { item: (letter) => letter, cursor: ({ id }) => id });
  }

  @Get(':id')
  @ApiOperation({ summary: 'One of them, with the message itself' })
  @ApiResponse({ status: 404, description: 'dead_letter_not_found' })
  async get(@CallerOf() { tenant }: Caller, @Param('id') id: string) {
    const letter = isUUID(id) ? await findDeadLetter(this.database, tenant, id) : undefined;
    if (!letter) throw notFound();
    const { content, ...rest } = letter;
    return { ...rest, content: content.toString() };
  }

  @Post(':id/replay')
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({ summary: 'Hands the message to its mailbox again, under its own id: what was done stays done once' })
  @ApiResponse({ status: 404, description: 'dead_letter_not_found' })
  @ApiResponse({ status: 409, description: 'dead_letter_cut: it was too large to be kept whole' })
  async replay(
    @CallerOf() caller: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() { reason }: DeadLetterActBody,
  ): Promise<Outcome> {
    const outcome = await this.idempotency.once(claim, (tx) => act(tx, caller, id, { act: 'replayed', reason }));
    this.tell(outcome, caller, id, { act: 'replayed', reason });
    // A repeat of this request as well: the first one may have ended between its commit and the broker.
    if (isDone(outcome)) await this.handOver(caller.tenant, id);
    return outcome;
  }

  @Post(':id/discard')
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({ summary: 'Settles that nothing more is to be done about it; the row stays' })
  @ApiResponse({ status: 404, description: 'dead_letter_not_found' })
  async discard(
    @CallerOf() caller: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() { reason }: DeadLetterActBody,
  ): Promise<Outcome> {
    const outcome = await this.idempotency.once(claim, (tx) => act(tx, caller, id, { act: 'discarded', reason }));
    this.tell(outcome, caller, id, { act: 'discarded', reason });
    return outcome;
  }

  private async handOver(tenant: string, id: string): Promise<void> {
    const letter = await findDeadLetter(this.database, tenant, id);
    // Whatever has been done about it since counts more than a repeat.
    if (letter?.state === 'replayed') await this.publisher.replay(letter.mailbox, payloadOf(letter, letter.content));
  }

  private tell(outcome: Outcome, caller: Caller, deadLetterId: string, { act, reason }: Wish): void {
    if (outcome.kind !== 'fresh' || !isDone(outcome)) return;
    this.logger.info({ deadLetterId, by: nameOf(caller), reason }, `messaging.dead_letter.${act}`);
  }
}

type Wish = Pick<Act, 'act' | 'reason'>;

async function act(tx: Tx, caller: Caller, id: string, wish: Wish): Promise<Answer> {
  const letter = isUUID(id) ? await lockDeadLetter(tx, caller.tenant, id) : undefined;
  if (!letter) throw notFound();
  if (wish.act === 'replayed' && letter.cut) throw cut(letter);
  return answerWith(200, await actOnDeadLetter(tx, id, { ...wish, by: nameOf(caller) }));
}

const isDone = (outcome: Outcome): boolean => 'answer' in outcome && outcome.answer.status === 200;

const nameOf = ({ tenant, principal }: Caller): string => `${tenant}/${principal}`;

const notFound = () => new Problem(404, 'dead_letter_not_found', 'there is no such dead letter');

const cut = ({ size }: DeadLetter) =>
  new Problem(409, 'dead_letter_cut', `its ${size} bytes were too many to be kept, so it cannot be handed over again`);
