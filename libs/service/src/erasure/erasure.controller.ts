/** The routes that erase personal data: of one customer, for operators, and of a tenant, for those who run the system. */
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, Roles } from '@shop/http';
import { Idempotent } from '@shop/idempotency';
import { ApiProblems, type ProblemMembers } from '@shop/problem';
import { ErasureService } from './erasure.service';
import { CustomerErasureBody, ErasureView, TenantErasureBody } from './erasure.view';

const open: ProblemMembers = { open: { type: 'integer', description: 'how many', example: 2 } };
const notYet = { 409: { open_orders: open, open_requests: open } };
const converges = 'a repeat erases what is left, and reports it';

@ApiTags('erasure')
@Controller('erasures')
export class ErasureController {
  constructor(private readonly erasure: ErasureService) {}

  @Post('customer')
  @Roles('operator')
  @HttpCode(200)
  @Idempotent({ strategy: 'none', reason: converges })
  @ApiOperation({
    operationId: 'eraseCustomer',
    summary: 'Erases who a customer of your tenant was, from all tables of this service',
    description:
      'Amounts and goods stay, for the books, and belong to nobody any more. It is refused while orders are open.',
  })
  @ApiAnswer(200, ErasureView, { description: 'what was erased' })
  @ApiProblems(notYet)
  async eraseCustomer(@CallerOf() caller: Caller, @Body() { customerId }: CustomerErasureBody): Promise<ErasureView> {
    return { erased: await this.erasure.erase({ tenant: caller.tenant, customerId }, caller) };
  }

  @Post('tenant')
  @Roles('platform')
  @HttpCode(200)
  @Idempotent({ strategy: 'none', reason: converges })
  @ApiOperation({
    operationId: 'eraseTenant',
    summary: 'Erases the personal data of a whole tenant, from all tables of this service',
    description:
      'Its customers, stored answers, API keys, dead letters and notes. Its books, catalogue and stock stay.',
  })
  @ApiAnswer(200, ErasureView, { description: 'what was erased' })
  @ApiProblems(notYet)
  async eraseTenant(@CallerOf() caller: Caller, @Body() { tenant }: TenantErasureBody): Promise<ErasureView> {
    return { erased: await this.erasure.erase({ tenant }, caller) };
  }
}
