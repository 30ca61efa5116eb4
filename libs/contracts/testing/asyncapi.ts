/** The AsyncAPI document: every command, reply and event of the contracts, on the subjects where they travel. */
import {
  BATCH_CONTENT_TYPE,
  type CommandType,
  commandMailbox,
  eventMailbox,
  type EventType,
  type Message,
  Reply,
  replaySubjectOf,
  replyMailbox,
  shortWayOf,
  subjectFrom,
  subjectOf,
} from '@shop/messaging';
import * as contracts from '../src';
import { bodySchemas, refTo, type Schema } from './body-schemas';

/** The service that runs the sagas: it sends the commands and takes the replies. */
const ORCHESTRATOR = 'order';

export function asyncApi(): object {
  const { commands, events } = messageTypes();
  const services = [...new Set(commands.map(({ mailbox }) => mailbox.replace('cmd.', '')))].sort();
  const tellers = [...new Set(events.map(({ source }) => source))].sort();
  const replies = commands.map(({ type }) => ({ type: `${type}.reply`, body: Reply }));
  const parts = [
    ...services.map((service) => commandsOf(service, commands)),
    repliesOf(ORCHESTRATOR, replies),
    ...tellers.map((service) => eventsOf(service, events)),
  ];
  return {
    asyncapi: '3.0.0',
    info,
    defaultContentType: BATCH_CONTENT_TYPE,
    servers: { broker: { host: '127.0.0.1:4222', protocol: 'nats', description: 'NATS with JetStream' } },
    channels: Object.assign({}, ...parts.map(({ channels }) => channels)) as object,
    operations: Object.assign({}, ...parts.map(({ operations }) => operations)) as object,
    components: {
      messages: Object.assign({}, ...parts.map(({ batch }) => batch)) as object,
      schemas: {
        CloudEvent: envelope,
        ...Object.fromEntries([...commands, ...replies, ...events].map((type) => [type.type, typeSchema(type)])),
        ...bodySchemas([...commands, ...events, { body: Reply }].map(({ body }) => body)),
      },
    },
  };
}

const sender = { description: 'the service that replies; the broker lets no other one publish here' };

const info = {
  title: 'Messages of the shop',
  version: '1.0.0',
  description:
    'What the services send one another: commands, their replies, and events. Each message of the broker is a batch ' +
    'of CloudEvents (JSON batch format) of mixed types. Messages may come twice, late and out of order. A type carries ' +
    'its version; receivers drop properties that they do not know.',
  contact: { name: 'The people of the shop' },
};

interface MessageType {
  type: string;
  body: new () => object;
}

interface Part {
  channels: Record<string, Schema>;
  operations: Record<string, Schema>;
  batch: Record<string, Schema>;
}

function messageTypes(): { commands: CommandType<object>[]; events: EventType<object>[] } {
  const found = Object.values(contracts).filter((value) => typeof value === 'object' && 'type' in value);
  return {
    commands: found.filter((type): type is Extract<typeof type, { mailbox: string }> => 'mailbox' in type),
    events: found.filter((type): type is Extract<typeof type, { source: string }> => 'source' in type),
  };
}

function commandsOf(service: string, all: readonly CommandType<object>[]): Part {
  const mailbox = commandMailbox(service);
  const name = `${service}Commands`;
  const channel = channelOf(
    name,
    subjectFrom(mailbox, ORCHESTRATOR),
    `Where the ${service} service takes its commands.`,
  );
  const replay = channelOf(name, replaySubjectOf(mailbox), 'What an operator hands over again.');
  return {
    channels: { [name]: channel, [`${name}Replayed`]: replay },
    operations: {
      [`${service}TakesCommands`]: {
        ...operation('receive', name, `The ${service} service carries them out, each once, and replies.`),
        reply: { channel: { $ref: `#/channels/${ORCHESTRATOR}Replies` } },
      },
      [`${service}TakesReplayedCommands`]: operation('receive', `${name}Replayed`, 'As those that come by themselves.'),
    },
    batch: batchOf(
      name,
      all.filter((command) => command.mailbox === mailbox),
    ),
  };
}

function repliesOf(service: string, replies: readonly MessageType[]): Part {
  const mailbox = replyMailbox(service);
  const name = `${service}Replies`;
  const direct = {
    ...channelOf(
      name,
      shortWayOf(mailbox, '{replica}', '{sender}'),
      'The way of a first reply, past the stream; it may be lost.',
    ),
    parameters: { replica: { description: 'the `replica` of the command' }, sender },
  };
  return {
    channels: {
      [name]: {
        ...channelOf(
          name,
          subjectFrom(mailbox, '{sender}'),
          `Where the ${service} service takes replies to its commands.`,
        ),
        parameters: { sender },
      },
      [`${name}Direct`]: direct,
      [`${name}Replayed`]: channelOf(name, replaySubjectOf(mailbox), 'What an operator hands over again.'),
    },
    operations: {
      [`${service}TakesReplies`]: operation('receive', name, 'Each moves its saga once.'),
      [`${service}TakesDirectReplies`]: operation('receive', `${name}Direct`, 'By the replica that has asked.'),
      [`${service}TakesReplayedReplies`]: operation('receive', `${name}Replayed`, 'As those that come by themselves.'),
    },
    batch: batchOf(name, replies),
  };
}

function eventsOf(service: string, all: readonly EventType<object>[]): Part {
  const name = `${service}Events`;
  const channel = channelOf(name, subjectOf(eventMailbox(service)), 'Kept for three days, for whoever listens.');
  return {
    channels: { [name]: channel },
    operations: {
      [`${service}TellsEvents`]: operation('send', name, 'At least once, and in any order.'),
      ...Object.fromEntries(
        listenersOf(service).map((listener) => [
          `${listener}Hears${service[0]!.toUpperCase()}${service.slice(1)}Events`,
          operation('receive', name, `As hints: the ${listener} service moves nothing by them alone.`),
        ]),
      ),
    },
    batch: batchOf(
      name,
      all.filter(({ source }) => source === service),
    ),
  };
}

const listenersOf = (service: string): string[] =>
  contracts.busRoles.filter(({ hears }) => hears?.includes(service)).map((role) => role.service);

const channelOf = (batch: string, address: string, description: string): Schema => ({
  address,
  description,
  messages: { batch: { $ref: `#/components/messages/${batch}` } },
});

const operation = (action: 'send' | 'receive', channel: string, description: string): Schema => ({
  action,
  channel: { $ref: `#/channels/${channel}` },
  description,
  messages: [{ $ref: `#/channels/${channel}/messages/batch` }],
});

const batchOf = (name: string, types: readonly MessageType[]): Record<string, Schema> => ({
  [name]: {
    name,
    contentType: BATCH_CONTENT_TYPE,
    payload: { type: 'array', minItems: 1, items: { oneOf: types.map(({ type }) => refTo(type)) } },
  },
});

const typeSchema = ({ type, body }: MessageType): Schema => ({
  allOf: [refTo('CloudEvent'), { type: 'object', properties: { type: { const: type }, data: refTo(body.name) } }],
});

const text = (description: string): Schema => ({ type: 'string', minLength: 1, description });

/** The compiler sees to it that no member of the envelope is missing. */
const members: Record<keyof Message, Schema> = {
  specversion: { const: '1.0' },
  id: text('unique for ever; a message that is sent again keeps its id'),
  type: text('what it is, with its version'),
  source: text('the service that sends it'),
  subject: text('the saga it belongs to: the correlation id'),
  causationid: text('the message that caused this one'),
  replyto: text('the mailbox that waits for the reply'),
  replica: text('of a command: the replica that waits for the reply, and may be told directly'),
  undoes: text('of an undo: the id of the command that it undoes'),
  traceparent: text('W3C Trace Context'),
  tenant: text('of a reply: whose business it is; a command says it in its body'),
  time: { type: 'string', format: 'date-time', description: 'of an event: when it happened' },
  datacontenttype: { const: 'application/json' },
  data: { type: 'object' },
};

const envelope: Schema = {
  type: 'object',
  description: 'CloudEvents 1.0',
  properties: members,
  required: ['specversion', 'id', 'type', 'source', 'subject', 'datacontenttype', 'data'],
};
