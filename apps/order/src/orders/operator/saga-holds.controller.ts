/** Holds a step of a saga definition for the sagas of one tenant, over HTTP. */
import { Body, Controller, Delete, Get, HttpCode, Param, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, Roles } from '@shop/http';
import { Idempotent } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import type { FastifyReply } from 'fastify';
import { SagaHoldsService } from './saga-holds.service';
import { SagaHoldBody, SagaHoldsView, SagaHoldView } from './saga-holds.view';

const ApiDefinition = () => ApiParam({ name: 'definition', example: 'place-order' });
const ApiStep = () => ApiParam({ name: 'step', example: 'charge' });

@ApiTags('sagas')
@Roles('operator')
@Controller('saga-holds')
export class SagaHoldsController {
  constructor(private readonly holds: SagaHoldsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listSagaHolds',
    summary: 'The steps that are held',
    description: 'Those of your tenant, with the number of sagas that stand at each.',
  })
  @ApiAnswer(200, SagaHoldsView, { description: 'all of them' })
  list(@CallerOf() { tenant }: Caller): Promise<SagaHoldsView> {
    return this.holds.list(tenant);
  }

  @Put(':definition/:step')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'holdSagaStep',
    summary: 'Holds a step: no saga sends its command any more',
    description:
      'For the sagas of your tenant, in every version of the definition. Every replica knows it within a second. A saga that ' +
      'would send the command of the step, or send it again, stops there, and its deadline stands still. It goes on when the ' +
      'hold ends, when a reply that was on its way arrives, or when it is cancelled: what undoes the step is not held.',
  })
  @ApiDefinition()
  @ApiStep()
  @ApiAnswer(201, SagaHoldView, { description: 'held' })
  @ApiAnswer(200, SagaHoldView, { description: 'it was held already; another reason replaces the one before' })
  @ApiProblems({ 404: ['saga_step_not_found'] })
  async place(
    @CallerOf() { tenant, principal }: Caller,
    @Param('definition') definition: string,
    @Param('step') step: string,
    @Body() { reason }: SagaHoldBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SagaHoldView> {
    const { hold, created } = await this.holds.place({ tenant, definition, step }, { by: principal, reason });
    void reply.status(created ? 201 : 200);
    return hold;
  }

  @Delete(':definition/:step')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'releaseSagaStep',
    summary: 'Ends the hold of a step',
    description: 'The sagas that stand there go on, at a bounded pace. It may be repeated.',
  })
  @ApiDefinition()
  @ApiStep()
  @ApiAnswer(204, null, { description: 'the step is not held' })
  async end(
    @CallerOf() { tenant, principal }: Caller,
    @Param('definition') definition: string,
    @Param('step') step: string,
  ): Promise<void> {
    await this.holds.end({ tenant, definition, step }, principal);
  }
}
