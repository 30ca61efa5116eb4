export { commandId } from './command-id';
export { Deadlines } from './deadlines';
export { decide, start } from './decide';
export {
  defineSaga,
  type Results,
  step,
  type DeadlinePolicy,
  type SagaDefinition,
  type StepAction,
  type StepDefinition,
} from './definition';
export { eraseSagas } from './erase-sagas';
export { HoldReleases } from './hold-releases';
export type { NotCorrectable, NotCorrected } from './corrected-body';
export { sagaMigrations } from './migrations';
export { OpenSagas } from './open-sagas';
export { CANCELLED_BY_OPERATOR } from './operator';
export { SagaCensus } from './saga-census';
export {
  actsOnSagas,
  type ActsOnSagasOptions,
  type BatchAct,
  batchActs,
  type BatchFilter,
  parkedSagas,
} from './saga-batches';
export { type CensusGroup, censusOf, groupSagas, type SagaGroup } from './saga-groups';
export type { SagaFilter } from './saga-keys';
export { type ListedSaga, listSagas, openStatuses, type OpenStatus, type SagasPage } from './saga-list';
export {
  type Decision,
  actionNames,
  type ActionName,
  isFinal,
  type NextAction,
  type OperatorAct,
  operatorActs,
  type OperatorEvent,
  type SagaEvent,
  type SagaState,
  type SagaStatus,
  sagaStatuses,
} from './saga-state';
export type { NewSaga, NotMoved, SagaChange } from './decide-batch';
export { SagaEngine, type SagaEngineOptions } from './saga.engine';
export { SagasByHand, type SagaOutlook } from './sagas-by-hand';
export { HeldView } from './stored-hold';
export { StepHolds } from './step-holds';
export { endHold, eraseStepHolds, type HeldStep, listHolds, placeHold, type StepHold } from './step-holds.repository';
export { findTrace, type SagaRow } from './saga.repository';
export { findSaga, readSaga, SagaView, TransitionView, WaitView, withoutOperators } from './saga.view';
