/** Lets an operator erase the stored answers to the requests of its tenant (R26). */
import { Controller, Delete, HttpCode, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, Roles } from '@shop/http';
import { Idempotency, Idempotent, tenantPrefix } from '@shop/idempotency';
import type { Logger } from '@shop/observability';
import { LOGGER } from '../logger';

@ApiTags('idempotency')
@Controller('idempotency-keys')
export class StoredAnswersController {
  constructor(
    private readonly idempotency: Idempotency,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Delete()
  @Roles('operator')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'eraseIdempotencyKeys',
    summary: "Erases the stored answers of all your tenant's keys",
    description: 'The keys stay used until they expire; who repeats a request is told that its answer is gone.',
  })
  @ApiAnswer(204, null, { description: 'nothing stored is left, but for requests that were under way' })
  async erase(@CallerOf() { tenant, principal }: Caller): Promise<void> {
    const erased = await this.idempotency.erase(tenantPrefix(tenant));
    this.logger.info({ tenant, principal, erased }, 'idempotency.erased');
  }
}
