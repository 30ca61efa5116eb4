/** The body of a refused command as an operator wants it. Pure: what may be changed, and what the command says of it. */
import { type Fault, validate } from '@shop/validation';
import { bodyOf } from './commands';
import { decide } from './decide';
import type { NotMoved } from './decide-batch';
import { type SagaDefinition, stepOf } from './definition';
import type { Ignored, OperatorEvent } from './saga-state';
import type { SagaRow } from './saga.repository';

type Members = Record<string, unknown>;

export type NotCorrectable = 'member-fixed' | 'nothing-changed';

export interface Correcting {
  by: string;
  reason: string;
  /** The members that are new. */
  body: Members;
}

export type NotCorrected = { reason: NotMoved | NotCorrectable } | { faults: Fault[] };

/** The act with the whole body, or why it is not possible. That the saga stands where it can be corrected comes first. */
export function prepareCorrection(
  definition: SagaDefinition<never>,
  row: SagaRow,
  { by, reason, body }: Correcting,
): OperatorEvent | NotCorrected {
  const { why } = correctionOutlook(definition, row);
  if (why) return { reason: why };
  const correction = correctedBody(definition, row, body);
  if (!correction.ok) return 'faults' in correction ? { faults: correction.faults } : { reason: correction.reason };
  const { corrected, changed } = correction;
  return { type: 'operator', act: 'retry', by, reason, corrected: { body: corrected, changed } };
}

export interface CorrectionOutlook {
  possible: boolean;
  /** Why not. */
  why?: Ignored | NotCorrectable;
  /** The members that may be changed, as they are now. */
  body?: Members;
}

export function correctionOutlook(definition: SagaDefinition<never>, row: SagaRow): CorrectionOutlook {
  const tried: OperatorEvent = {
    type: 'operator',
    act: 'retry',
    by: '',
    reason: '',
    corrected: { body: {}, changed: {} },
  };
  const decision = decide(definition, row.state, tried);
  if ('ignored' in decision) return { possible: false, why: decision.ignored };
  const body = correctableMembers(definition, row);
  if (Object.keys(body).length === 0) return { possible: false, why: 'member-fixed' };
  return { possible: true, body };
}

type Corrected =
  | { ok: true; corrected: object; changed: Members }
  | { ok: false; reason: NotCorrectable }
  | { ok: false; faults: Fault[] };

/**
 * `changes` are the members that are new; null takes one away. Some members are never changed: the tenant, because a
 * saga does nothing in another; secrets, because nobody reads them; and ids that are made of the saga's own, because
 * with another one it would undo what it did not do.
 */
function correctedBody(definition: SagaDefinition<never>, row: SagaRow, changes: Members): Corrected {
  const body = bodyOf(definition, row, row.state) as Members;
  const changed = Object.fromEntries(Object.entries(changes).filter(([name, value]) => !isSame(body[name], value)));
  const names = Object.keys(changed);
  if (names.length === 0) return { ok: false, reason: 'nothing-changed' };
  if (names.some((name) => isFixed(definition, row, name, body[name]))) return { ok: false, reason: 'member-fixed' };
  const corrected = Object.fromEntries(Object.entries({ ...body, ...changed }).filter(([, value]) => value !== null));
  const { command } = stepOf(definition, row.state.step)[row.state.action]!;
  const valid = validate(command.body, corrected, { unknownProperties: 'refuse' });
  return valid.ok ? { ok: true, corrected, changed } : { ok: false, faults: valid.faults };
}

/** What an operator may change, as it is now. */
function correctableMembers(definition: SagaDefinition<never>, row: SagaRow): Members {
  const body = bodyOf(definition, row, row.state) as Members;
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => !isFixed(definition, row, name, value)));
}

function isFixed({ secrets }: SagaDefinition<never>, { id }: SagaRow, name: string, value: unknown): boolean {
  return name === 'tenant' || secrets.includes(name) || (typeof value === 'string' && value.includes(id));
}

/** No member at all is the same as null. */
const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
