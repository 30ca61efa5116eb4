/** Places and ends the holds of steps. Who did it and why stays in the table. */
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { endHold, type HeldStep, listHolds, placeHold, SagasByHand, StepHolds } from '@shop/saga';
import { LOGGER } from '@shop/service';
import { holdJson, type SagaHoldsView, type SagaHoldView } from './saga-holds.view';

@Injectable()
export class SagaHoldsService {
  constructor(
    private readonly database: Database,
    private readonly holds: StepHolds,
    private readonly byHand: SagasByHand,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async list(tenant: string): Promise<SagaHoldsView> {
    const holds = await listHolds(this.database, tenant);
    return { holds: holds.map(({ sagas, ...hold }) => ({ ...holdJson(hold), sagas })) };
  }

  /** @throws Problem 404 `saga_step_not_found` */
  async place(
    key: HeldStep,
    { by, reason }: { by: string; reason: string },
  ): Promise<{ hold: SagaHoldView; created: boolean }> {
    const { definition, step } = key;
    if (!this.byHand.hasStep(definition, step)) {
      throw new Problem(404, 'saga_step_not_found', 'no definition that is known here has this step');
    }
    const { created, ...hold } = await this.database.transaction((tx) => placeHold(tx, key, { by, reason }));
    if (created) this.logger.warn({ tenant: key.tenant, saga: definition, step, by }, 'saga.step.held');
    await this.readAgain();
    return { hold: holdJson(hold), created };
  }

  /** Ends it, or changes nothing if there is none. */
  async end(key: HeldStep, by: string): Promise<void> {
    const ended = await this.database.transaction((tx) => endHold(tx, key, by));
    if (ended) this.logger.info({ tenant: key.tenant, saga: key.definition, step: key.step, by }, 'saga.step.released');
    await this.readAgain();
  }

  /** So that this replica knows at once. It is committed already, and what is not read now is read a second later. */
  private async readAgain(): Promise<void> {
    await this.holds.refresh().catch((error: unknown) => {
      this.logger.warn({ reason: (error as Error).message }, 'saga.holds.unread');
    });
  }
}
