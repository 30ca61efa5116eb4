export { Broker, type BrokerOptions } from './broker';
export { defineCommand, type CommandType, bodyOf, replyTo, Reply, type Refusal } from './command';
export { JetStreamServer } from './jetstream.server';
export { Answers, Consumes, type Delivery } from './mailbox';
export { commandMailbox, type Message, newMessage, replyMailbox } from './message';
export { Publisher } from './publisher';
export { MAILBOX_LANE } from './topology';
