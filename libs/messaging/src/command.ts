/** Commands: the sender and the receiver share one definition. */
import { type Validated, validate } from '@shop/validation';
import { commandMailbox, type Message } from './message';

export interface CommandType<Body extends object> {
  /** `<service>.<name>.v<version>` */
  readonly type: string;
  readonly mailbox: string;
  readonly body: new () => Body;
}

/** `body` is a class-validator class; a breaking change of it is a new version beside the old one. */
export function defineCommand<Body extends object>(options: {
  service: string;
  name: string;
  version: number;
  body: new () => Body;
}): CommandType<Body> {
  const { service, name, version, body } = options;
  return { type: `${service}.${name}.v${version}`, mailbox: commandMailbox(service), body };
}

/**
 * Checks the body of a command or event that was received. Unknown properties are dropped: they may come from a newer
 * sender.
 */
export function bodyOf<Body extends object>(type: { body: new () => Body }, message: Message): Validated<Body> {
  return validate(type.body, message.data, { unknownProperties: 'drop' });
}
