/** Commands and their replies: one definition that the sender and the receiver share. */
import { IsBoolean, IsIn, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import { type Validated, validate } from '@shop/problem';
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

/** Checks the body of a command or event at the receiving door. Unknown properties are dropped: they may come from a newer sender. */
export function bodyOf<Body extends object>(type: { body: new () => Body }, message: Message): Validated<Body> {
  return validate(type.body, message.data, { unknownProperties: 'drop' });
}

const MAX_REASON_LENGTH = 100;

export interface Refusal {
  outcome: 'refused';
  reason: string;
}

/** Every command is answered with one of these: it was done, or it was refused for a reason of the business. */
export class Reply {
  @IsIn(['succeeded', 'refused'])
  outcome: 'succeeded' | 'refused';

  /** Of a refusal: a stable code such as `out_of_stock`. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_REASON_LENGTH)
  reason?: string;

  /** Of a refusal that does not know what an earlier delivery of the command did: it must be undone all the same. */
  @IsOptional()
  @IsBoolean()
  inDoubt?: boolean;

  /** Of a success: what the saga's history should show, such as a payment's id. */
  @IsOptional()
  @IsObject()
  result?: Record<string, unknown>;
}

/** The reply's id derives from the command's, so a reply that is sent again is the same message. */
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
