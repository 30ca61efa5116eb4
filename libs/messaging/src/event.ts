/** Events: what a service tells other services. Nobody answers, and the sender does not know who listens. */
import { type Message, newMessage } from './message';

export interface EventType<Body extends object> {
  /** `<service>.<name>.v<version>` */
  readonly type: string;
  /** The service that publishes it. */
  readonly source: string;
  readonly body: new () => Body;
}

/** `body` is a class-validator class; a breaking change of it is a new version beside the old one. */
export function defineEvent<Body extends object>(options: {
  service: string;
  name: string;
  version: number;
  body: new () => Body;
}): EventType<Body> {
  const { service, name, version, body } = options;
  return { type: `${service}.${name}.v${version}`, source: service, body };
}

/** It gets its time from the database, with its row in the outbox. `id` has to follow from what happened: if it is published again, by any process, it is the same event. */
export function newEvent<Body extends object>(
  event: EventType<Body>,
  message: Pick<Message<Body>, 'id' | 'subject' | 'traceparent' | 'data'>,
): Message<Body> {
  return newMessage({ ...message, type: event.type, source: event.source });
}
