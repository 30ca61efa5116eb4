/**
 * Who may use which subjects of the bus. Made from the same names as the streams, consumers and mailboxes, so that they
 * cannot differ. See docs/security.md.
 */
import {
  commandMailbox,
  eventMailbox,
  eventsFor,
  replaySubjectOf,
  replyMailbox,
  shortWayOf,
  subjectFrom,
  subjectOf,
} from './message';
import { consumerOf, filterOf, streamOf } from './topology';

/** What a service takes part in. */
export interface BusRole {
  service: string;
  /** As the orchestrator: the services that carry out the commands of its sagas. */
  commands?: readonly string[];
  /** As a participant: the orchestrators whose commands it carries out. */
  answers?: readonly string[];
  /** It publishes events. */
  tells?: boolean;
  /** The services whose events it takes. */
  hears?: readonly string[];
}

export interface Permissions {
  publish: string[];
  subscribe: string[];
}

/** Only this user may look at the answers to its own requests. */
export const inboxPrefixOf = (service: string): string => `_INBOX_${service}`;
/** Hints between the replicas of one service. */
const notesOf = (service: string): string => `note.${service}.>`;

export function permissionsOf(role: BusRole): Permissions {
  const { service, commands = [], answers = [], tells = false, hears = [] } = role;
  const orchestrates = commands.length > 0;
  const events = eventMailbox(service);
  const own = [
    ...(answers.length > 0 ? [commandMailbox(service)] : []),
    ...(orchestrates ? [replyMailbox(service)] : []),
  ];
  const taken = [...own, ...hears.map((other) => eventsFor(service, other))];
  const sentTo = [...commands.map(commandMailbox), ...answers.map(replyMailbox), ...(tells ? [events] : [])];
  const streams = [...new Set([...taken, ...sentTo].map((mailbox) => streamOf(mailbox).name))].sort();
  /** It could not work without them while the orchestrator is away. */
  const made = new Set([...taken, ...(tells ? [events] : [])].map((mailbox) => streamOf(mailbox).name));
  return {
    publish: [
      notesOf(service),
      ...commands.map((other) => subjectFrom(commandMailbox(other), service)),
      ...answers.flatMap((other) => [
        subjectFrom(replyMailbox(other), service),
        shortWayOf(replyMailbox(other), '*', service),
      ]),
      ...own.map(replaySubjectOf),
      // What came the short way and cannot be taken now.
      ...(orchestrates ? [subjectFrom(replyMailbox(service), service)] : []),
      ...(tells ? [subjectOf(events)] : []),
      ...streams.flatMap((stream) =>
        useOfStream(stream, { mayCreate: orchestrates || made.has(stream), mayChange: orchestrates }),
      ),
      ...taken.flatMap(useOfConsumer),
      ...(tells ? careOfEvents(streamOf(events).name) : []),
    ],
    subscribe: [
      `${inboxPrefixOf(service)}.>`,
      notesOf(service),
      ...(orchestrates ? [shortWayOf(replyMailbox(service), '*', '*')] : []),
    ],
  };
}

const api = (request: string): string => `$JS.API.${request}`;

/** Nobody needs to purge or delete a stream. The orchestrator alone changes one. */
const useOfStream = (stream: string, may: { mayCreate: boolean; mayChange: boolean }): string[] => [
  api(`STREAM.INFO.${stream}`),
  ...(may.mayCreate ? [api(`STREAM.CREATE.${stream}`)] : []),
  ...(may.mayChange ? [api(`STREAM.UPDATE.${stream}`)] : []),
];

/** The filter is a part of the subject, and the broker sees to it that the consumer has no other one. */
function useOfConsumer(mailbox: string): string[] {
  const { stream, durable } = consumerOf(mailbox);
  return [
    api(`CONSUMER.CREATE.${stream}.${durable}.${filterOf(mailbox)}`),
    api(`CONSUMER.INFO.${stream}.${durable}`),
    api(`CONSUMER.MSG.NEXT.${stream}.${durable}`),
    `$JS.ACK.${stream}.${durable}.>`,
  ];
}

/** The outbox looks at what the stream still has, and drops consumers that are ahead of it. */
const careOfEvents = (stream: string): string[] => [
  api(`STREAM.MSG.GET.${stream}`),
  api(`CONSUMER.LIST.${stream}`),
  api(`CONSUMER.DELETE.${stream}.*`),
];

export interface BusUser {
  name: string;
  /** A string in quotes, or a variable of the environment of the broker, such as `$NATS_ORDER_PASSWORD`. */
  password: string;
  /** Without them it may do everything: for operators and tests. */
  permissions?: Permissions;
}

/** The users in the configuration language of nats-server. */
export function configurationOf(users: readonly BusUser[]): string {
  return `authorization {\n  users: [\n${users.map(userText).join('')}  ]\n}\n`;
}

function userText({ name, password, permissions }: BusUser): string {
  const allowed = permissions
    ? [
        '      permissions: {',
        ...(['publish', 'subscribe'] as const).flatMap((verb) => [
          `        ${verb}: { allow: [`,
          ...permissions[verb].map((subject) => `          ${JSON.stringify(subject)}`),
          '        ] }',
        ]),
        '      }',
      ]
    : [];
  const lines = ['    {', `      user: ${JSON.stringify(name)}`, `      password: ${password}`, ...allowed, '    }'];
  return `${lines.join('\n')}\n`;
}
