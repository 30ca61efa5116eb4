export { Broker, type BrokerOptions } from './broker';
export { type Credentials, type Tls } from './broker-options';
export { type BusRole, type BusUser, configurationOf, permissionsOf } from './permissions';
export { defineCommand, type CommandType, bodyOf } from './command';
export { type Act, type DeadLetter, type DeadLetterState, deadLetterStates } from './dead-letter';
export {
  type DeadLetterFilter,
  type DeadLetterGroup,
  groupDeadLetters,
  MAX_GROUP_ERROR,
  meantLetters,
} from './dead-letter-groups';
export { DeadLetterEntity } from './dead-letter.entity';
export {
  actOnDeadLetter,
  actOnDeadLetters,
  findDeadLetter,
  listDeadLetters,
  lockDeadLetter,
  lockDeadLetters,
  type Reach,
  type SeenLetter,
} from './dead-letter.repository';
export { handOverReplayed } from './hand-over';
export { DeadLetters } from './dead-letters';
export { eraseDeadLetters } from './erase-letters';
export { type DataSubject, ERASED } from './erased-letter';
export { defineEvent, type EventType, newEvent } from './event';
export { ConsumerLag } from './consumer-lag';
export { JetStreamServer } from './jetstream.server';
export { Consumes, type Delivery, Replies } from './mailbox';
export {
  BATCH_CONTENT_TYPE,
  commandMailbox,
  eventMailbox,
  eventsFor,
  type Message,
  newMessage,
  replaySubjectOf,
  replyMailbox,
  shortWayOf,
  subjectFrom,
  subjectOf,
  tenantOf,
} from './message';
export { messagingMigrations, outboxMigrations } from './migrations';
export { appendEvents } from './outbox';
export { OutboxLag } from './outbox-lag';
export { OutboxRelay } from './outbox-relay';
export { Publisher } from './publisher';
export { Reply, replyTo, Waiting, WaitingAction } from './reply';
export { MAILBOX_LANE } from './topology';
