export {
  defineSaga,
  step,
  type DeadlinePolicy,
  type SagaDefinition,
  type StepAction,
  type StepDefinition,
} from './definition';
export { Deadlines } from './deadlines';
export { decide, type Decision, isFinal, type SagaEvent, type SagaState, type SagaStatus, start } from './decide';
export { sagaMigrations } from './migrations';
export { commandId, type NewSaga, SagaEngine, type SagaChange, type SagaEngineOptions } from './saga.engine';
export type { SagaRow } from './saga.repository';
export { findSaga, type SagaView } from './saga.view';
