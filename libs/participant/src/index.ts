export {
  type Command,
  type Decision,
  type Handler,
  type HandlerOptions,
  on,
  refused,
  refusedInDoubt,
  succeeded,
  waiting,
} from './on';
export { type CommandSet, Participant } from './participant';
export { ParticipantModule, type ParticipantModuleOptions } from './participant.module';
export { type EventHandler, type EventSet, type Heard, Listener, onEvent } from './listener';
export { ListenerModule, type ListenerModuleOptions } from './listener.module';
export { answerOf } from './stored-reply';
