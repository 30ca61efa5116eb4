/** What operators do and ask beyond the acts that `decide` takes as they are: corrected bodies, and what may become of a saga. */
import type { Tx } from '@shop/postgres';
import {
  correctionOutlook,
  type CorrectionOutlook,
  type Correcting,
  type NotCorrected,
  prepareCorrection,
} from './corrected-body';
import { holdsFor, type StepHeld } from './decide-batch';
import type { SagaDefinition } from './definition';
import { type Outlook, outlookOf } from './outlook';
import { SagaDefinitions } from './saga-definitions';
import type { SagaEngine } from './saga.engine';
import { lockSagas, readRow } from './saga.repository';

export interface SagasByHandOptions {
  engine: Pick<SagaEngine, 'decideIn'>;
  definitions: readonly SagaDefinition<never>[];
  holds?: StepHeld;
}

export type SagaOutlook = Outlook & { correction: CorrectionOutlook };

export class SagasByHand {
  private readonly definitions: SagaDefinitions;

  constructor(private readonly options: SagasByHandOptions) {
    this.definitions = new SagaDefinitions(options.definitions);
  }

  /**
   * Retries a parked saga with a changed body, inside the transaction of the caller. If that is not possible, it returns
   * why, or what is wrong with the body, and writes nothing.
   */
  async correctIn(tx: Tx, sagaId: string, asked: Correcting): Promise<NotCorrected | undefined> {
    const [row] = await lockSagas(tx, [sagaId]);
    const definition = row && this.definitions.of(row);
    if (!definition) return { reason: row ? 'unknown-version' : 'unknown-saga' };
    const prepared = prepareCorrection(definition, row, asked);
    if (!('act' in prepared)) return prepared;
    const reason = await this.options.engine.decideIn(tx, sagaId, prepared);
    return reason && { reason };
  }

  /** Undefined when this replica does not know the definition. */
  async outlook(from: Pick<Tx, 'query'>, sagaId: string): Promise<SagaOutlook | undefined> {
    const row = await readRow(from, sagaId);
    const definition = row && this.definitions.of(row);
    if (!definition) return undefined;
    const holdOf = holdsFor(this.options.holds, definition, row.data);
    return { ...outlookOf(definition, row.state, holdOf), correction: correctionOutlook(definition, row) };
  }

  /** Whether a definition, in any version that this replica knows, has this step. */
  hasStep(definition: string, step: string): boolean {
    const versions = this.options.definitions.filter(({ name }) => name === definition);
    return versions.some(({ steps }) => steps.some(({ name }) => name === step));
  }
}
