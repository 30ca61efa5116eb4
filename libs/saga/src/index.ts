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
export { sagaMigrations } from './migrations';
export { OpenSagas } from './open-sagas';
export { CANCELLED_BY_OPERATOR } from './operator';
export { SagaCensus } from './saga-census';
export { type ListedSaga, listSagas, openStatuses, type OpenStatus } from './saga-list';
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
} from './saga-state';
export type { NewSaga, NotMoved, SagaChange } from './decide-batch';
export { SagaEngine, type SagaEngineOptions } from './saga.engine';
export type { SagaRow } from './saga.repository';
export { findSaga, readSaga, SagaView, TransitionView, WaitView, withoutOperators } from './saga.view';
