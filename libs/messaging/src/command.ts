/** Commands and their replies: the sender and the receiver share one definition. */
import { IsBoolean, IsIn, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import { type Validated, validate } from '@shop/validation';
import { commandMailbox, type Message, newMessage, tenantOf } from './message';

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

const MAX_REASON_LENGTH = 100;

/** The answer to a command: it was done, or it was refused for a business reason. */
export class Reply {
  @IsIn(['succeeded', 'refused'])
  outcome: 'succeeded' | 'refused';

  /** Of a refusal: a stable code such as `out_of_stock`. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_REASON_LENGTH)
  reason?: string;

  /**
   * Of a refusal: it is unknown what an earlier delivery of the command did, so the command must be undone all the
   * same.
   */
  @IsOptional()
  @IsBoolean()
  inDoubt?: boolean;

  /** Of a success: what the saga's history should show, such as a payment's id. */
  @IsOptional()
  @IsObject()
  result?: Record<string, unknown>;
}

/** The reply's id follows from the command's, so a reply that is sent again is the same message. */
export function replyTo(command: Message, source: string, reply: Reply): Message<Reply> {
  return newMessage({
    id: `${command.id}/reply`,
    type: `${command.type}.reply`,
    source,
    subject: command.subject,
    causationid: command.id,
    traceparent: command.traceparent,
    tenant: tenantOf(command),
    data: reply,
  });
}
