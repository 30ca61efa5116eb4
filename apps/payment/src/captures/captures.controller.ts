/** The captures of a payment over HTTP. */
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, OwnTurns, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { ApiAlreadySubmitted, type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems, type ProblemCodes } from '@shop/problem';
import { checkPaymentId, notPayable } from '../payments/payment';
import { PaymentsService } from '../payments/payments.service';
import { CaptureBody } from './capture';
import { captureJson, CaptureView } from './capture.view';
import { CapturesService } from './captures.service';
import { CreateCapture } from './create-capture';

/** Example ids for the API document. */
const PAYMENT = 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM';
const CAPTURE = 'cap_Zl0hCg4y1mPpYvHnR1xk7Jd2sQw';

const refusals: ProblemCodes = {
  404: ['payment_not_found'],
  409: {
    capture_exceeds_authorization: {
      capturable: { type: 'integer', description: 'what is left, in minor units', example: 1_000 },
    },
    authorization_expired: {},
    payment_not_capturable: {},
    too_many_captures: {},
    // Its key stays free.
    capture_in_progress: {},
  },
  // The capture is kept as failed.
  422: {
    capture_refused: {
      captureId: { type: 'string', example: CAPTURE },
      statusUrl: { type: 'string', example: `/payments/${PAYMENT}/captures/${CAPTURE}` },
    },
    // No capture is made for these.
    ...Object.fromEntries(notPayable.map((code) => [code, {}])),
  },
};

@ApiTags('payments')
@ApiParam({ name: 'id', description: 'of the payment', example: PAYMENT })
@Controller('payments/:id/captures')
@Roles('operator')
export class CapturesController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly captures: CapturesService,
    private readonly createCapture: CreateCapture,
  ) {}

  @Post()
  @OwnTurns()
  @Idempotent({ strategy: 'leased' })
  @ApiOperation({
    operationId: 'createCapture',
    summary: 'Takes all or a part of the money that is held for a payment',
    description: 'A repeat with the same key goes on where the first one ended, and never takes twice.',
  })
  @ApiAnswer(201, CaptureView, { description: 'taken', headers: ['location', 'idempotent-replayed'] })
  @ApiAlreadySubmitted(`/payments/${PAYMENT}/captures/${CAPTURE}`)
  @ApiProblems(refusals)
  create(
    @CallerOf() { tenant }: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() { amount, final }: CaptureBody,
  ): Promise<Outcome> {
    return this.createCapture.perform(claim, { tenant, paymentId: checkPaymentId(id), amount, final });
  }

  @Get()
  @ApiOperation({
    operationId: 'listCaptures',
    summary: 'The captures of a payment, page by page',
    description: 'Those that succeeded, and those that did not.',
  })
  @ApiAnswer(200, PageOf(CaptureView), { description: 'a page' })
  @ApiProblems({ 404: ['payment_not_found'] })
  async list(
    @CallerOf() { tenant }: Caller,
    @Param('id') id: string,
    @Query() { cursor: after = '', limit }: PageQuery,
  ): Promise<Page<CaptureView>> {
    const { id: paymentId } = await this.payments.get(tenant, id);
    const read = (limit: number) => this.captures.list({ tenant, paymentId, after, limit });
    return readPage(limit, read, { item: captureJson, cursor: ({ id }) => id });
  }

  @Get(':captureId')
  @ApiOperation({ operationId: 'getCapture', summary: 'One capture of a payment', description: 'What became of it.' })
  @ApiParam({ name: 'captureId', example: CAPTURE })
  @ApiAnswer(200, CaptureView, { description: 'the capture as it is now' })
  @ApiProblems({ 404: ['capture_not_found'] })
  async get(
    @CallerOf() { tenant }: Caller,
    @Param('id') id: string,
    @Param('captureId') captureId: string,
  ): Promise<CaptureView> {
    return captureJson(await this.captures.get(tenant, id, captureId));
  }
}
