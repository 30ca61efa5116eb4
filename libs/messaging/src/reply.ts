/** The answer to a command: done, refused for a business reason, or not yet, because somebody else has to act first. */
import { Type } from 'class-transformer';
import {
  IsBoolean,
  IsDefined,
  IsIn,
  IsObject,
  IsOptional,
  IsRFC3339,
  IsString,
  Matches,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { type Message, newMessage, tenantOf } from './message';

const MAX_REASON_LENGTH = 100;
/** Longer links do not work in every browser. */
const MAX_URL_LENGTH = 2_048;
/** A date, a time with nanoseconds and an offset. */
const MAX_TIME_LENGTH = 40;

/** What the customer has to do. The link is a secret: whoever has it acts as the customer. */
export class WaitingAction {
  @IsIn(['redirect'])
  type: 'redirect';

  /** A client follows it, so it is nothing but an address of the web. */
  @Matches(/^https?:\/\/[^\s]+$/)
  @MaxLength(MAX_URL_LENGTH)
  url: string;

  @IsRFC3339()
  @MaxLength(MAX_TIME_LENGTH)
  expiresAt: string;
}

export class Waiting {
  /** By then the participant has decided. The command may be sent again at any time before. */
  @IsRFC3339()
  @MaxLength(MAX_TIME_LENGTH)
  until: string;

  @IsIn(['customer', 'provider'])
  for: 'customer' | 'provider';

  @IsOptional()
  @ValidateNested()
  @Type(() => WaitingAction)
  action?: WaitingAction;
}

export class Reply {
  @IsIn(['succeeded', 'refused', 'waiting'])
  outcome: 'succeeded' | 'refused' | 'waiting';

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

  /** Of `waiting`: for whom, and until when. The same command, sent again, tells what has become of it. */
  @ValidateIf(({ outcome }: Reply) => outcome === 'waiting')
  @IsDefined()
  @ValidateNested()
  @Type(() => Waiting)
  waiting?: Waiting;
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
