/** The handler for one kind of command. Its author writes one decision about one command. */
import type { CallOutside } from '@shop/idempotency';
import type { CommandType, Reply, Waiting } from '@shop/messaging';

/** A command that was read from its message. */
export interface Command<Body extends object = object> {
  /** `<saga>/<step>/<do or undo>`. It is the same each time the command is sent. */
  id: string;
  /** `<service>.<name>.v<version>` */
  type: string;
  body: Body;
}

/** A reply now, or leased work that ends with a reply, if it makes an outside call. */
export type Decision = Reply | CallOutside;

export interface Handler<State> {
  command: CommandType<object>;
  /**
   * Pure: it changes `state` for the commands after it, and nothing else. It is not called for a command that was done
   * before.
   */
  decide: (state: State, command: Command) => Decision;
  /** The id of the command that this one undoes. The default is the id that the message names. */
  undoes?: (body: object) => string;
}

export interface HandlerOptions<Body> {
  /** For a command that undoes another command, which its body names. */
  undoes?: (body: Body) => string;
}

export function on<State, Body extends object>(
  command: CommandType<Body>,
  decide: (state: State, command: Command<Body>) => Decision,
  options: HandlerOptions<Body> = {},
): Handler<State> {
  // The body of each command was checked against the class of this command before it comes here.
  return { command, decide, ...options } as unknown as Handler<State>;
}

/** @param result for the history of the saga and for later steps */
export const succeeded = (result?: Record<string, unknown>): Reply => ({ outcome: 'succeeded', result });
/** @param reason a stable code */
export const refused = (reason: string): Reply => ({ outcome: 'refused', reason });
/** Refused without knowing what an earlier delivery of the command did. So its saga has to undo it anyway. */
export const refusedInDoubt = (reason: string): Reply => ({ outcome: 'refused', reason, inDoubt: true });
/**
 * Somebody else has to act first. True only now, so it is not kept (`answerOf(reply, { kept: false })`): the command, sent
 * again, is decided again.
 */
export const waiting = (waiting: Waiting): Reply => ({ outcome: 'waiting', waiting });
