/** What the ledgers of the other services know of the commands of a saga. */
import { Injectable } from '@nestjs/common';
import { commandId, type SagaDefinition, type SagaView } from '@shop/saga';
import { type Executor, executors, Neighbours } from '../../neighbours/neighbours';
import { orderSagas } from '../sagas/order-sagas';
import { OperatorService } from './operator.service';
import type { LedgerEntryView, SagaLedgerView } from './saga-ledger.view';

type Command = Pick<LedgerEntryView, 'id' | 'step' | 'action' | 'service'>;

@Injectable()
export class SagaLedgerService {
  constructor(
    private readonly operator: OperatorService,
    private readonly neighbours: Neighbours,
  ) {}

  /** @throws Problem 404 `saga_not_found`, also for a saga of another tenant */
  async entries(tenant: string, sagaId: string): Promise<SagaLedgerView> {
    const saga = await this.operator.get(tenant, sagaId);
    const definition = orderSagas.find(({ name, version }) => name === saga.definition && version === saga.version);
    const commands = new Map(definition ? commandsOf(definition, saga).map((command) => [command.id, command]) : []);
    const answers = await Promise.all(
      executors.map(async (service) => {
        const ids = [...commands.values()].filter((command) => command.service === service).map(({ id }) => id);
        const found = ids.length === 0 ? [] : await this.neighbours.readEntries(service, tenant, ids);
        return { service, found };
      }),
    );
    const entries = answers.flatMap(({ found }) => (found === 'away' ? [] : found));
    return {
      items: entries
        .map((entry) => ({ ...commands.get(entry.id)!, ...entry }))
        .sort((a, b) => a.createdAt.localeCompare(b.createdAt)),
      degraded: answers.filter(({ found }) => found === 'away').map(({ service }) => service),
    };
  }
}

/** All commands that the saga can have sent: those of its definition, and those that an operator has corrected. Pure. */
export function commandsOf({ steps }: SagaDefinition<never>, { id: sagaId, history }: SagaView): Command[] {
  return steps.flatMap((step) =>
    (['do', 'undo'] as const).flatMap((action) => {
      const type = step[action]?.command.type;
      if (type === undefined) return [];
      const service = type.split('.', 1)[0] as Executor;
      const corrected = history.flatMap(({ step: moved, detail }) => (moved === step.name ? revisionIn(detail) : []));
      return [1, ...corrected].map((revision) => ({
        id: commandId(sagaId, step.name, action, revision),
        step: step.name,
        action,
        service,
      }));
    }),
  );
}

function revisionIn(detail: unknown): number[] {
  const revision = typeof detail === 'object' && detail !== null && 'revision' in detail ? detail.revision : undefined;
  return typeof revision === 'number' ? [revision] : [];
}
