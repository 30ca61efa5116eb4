/** Reads what the tax service has to be told, and opens again what is parked. */
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type Answer, answerWith, type Claim, Idempotency, type Outcome } from '@shop/idempotency';
import type { Logger } from '@shop/observability';
import type { Tx } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { LOGGER } from '@shop/service';
import { MoreThan, type Repository } from 'typeorm';
import { TaxTaskEntity } from './tax-task.entity';
import { taxTaskJson } from './tax-task.view';
import { reopenTask } from './tax-tasks.repository';
import type { TaxTaskStatus } from './tax-task';

export interface TaxTasksPage {
  tenant: string;
  status?: TaxTaskStatus;
  after: string;
  limit: number;
}

/** As of an invoice or a credit note. */
const NUMBER = /^[\w.-]{1,64}$/;

@Injectable()
export class TaxTasksService {
  constructor(
    @InjectRepository(TaxTaskEntity) private readonly tasks: Repository<TaxTaskEntity>,
    private readonly idempotency: Idempotency,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Up to `limit` tasks after the number `after`, in order of number. */
  list({ tenant, status, after, limit }: TaxTasksPage): Promise<TaxTaskEntity[]> {
    const which = status === undefined ? {} : { status };
    return this.tasks.find({
      where: { tenant, ...which, number: MoreThan(after) },
      order: { number: 'ASC' },
      take: limit,
    });
  }

  /** @throws Problem 404 `tax_task_not_found`, 409 `tax_task_not_parked` */
  async retry(claim: Claim, tenant: string, number: string): Promise<Outcome> {
    const task = NUMBER.test(number) ? await this.tasks.findOneBy({ tenant, number }) : null;
    if (!task) throw new Problem(404, 'tax_task_not_found', 'the tax service has nothing to be told under this number');
    const outcome = await this.idempotency.once(claim, (tx) => reopened(tx, task));
    if (outcome.kind === 'fresh') this.logger.info({ number }, 'tax_task.reopened');
    return outcome;
  }
}

async function reopened(tx: Tx, task: TaxTaskEntity): Promise<Answer> {
  if (!(await reopenTask(tx, task.tenant, task.number))) {
    throw new Problem(409, 'tax_task_not_parked', 'only what is parked can be tried again');
  }
  return answerWith(200, taxTaskJson({ ...task, status: 'open', lastError: null }));
}
