/** What a service does for one kind of command: its author writes one decision about one command. */
import type { CallOutside } from '@shop/idempotency';
import type { CommandType, Reply } from '@shop/messaging';

/** A command as it was read from its message. */
export interface Command<Body extends object = object> {
  /** `<saga>/<step>/<do or undo>`; the same each time that it is sent. */
  id: string;
  /** `<service>.<name>.v<version>` */
  type: string;
  body: Body;
}

/** A reply now; or, for work that calls outside, the leased work that ends in one. */
export type Decision = Reply | CallOutside;

export interface Handler<State> {
  command: CommandType<object>;
  /** Pure: changes `state` for the commands behind it, and nothing else. Not called for a command that was done before. */
  decide: (state: State, command: Command) => Decision;
  /** The id of the command that this one undoes; that of its message unless given. */
  undoes?: (body: object) => string;
}

export interface HandlerOptions<Body> {
  /** For a command that undoes another one which is named in its body. */
  undoes?: (body: Body) => string;
}

export function on<State, Body extends object>(
  command: CommandType<Body>,
  decide: (state: State, command: Command<Body>) => Decision,
  options: HandlerOptions<Body> = {},
): Handler<State> {
  // The body of each command that comes here was checked against the class of this very command.
  return { command, decide, ...options } as unknown as Handler<State>;
}

/** @param result what the saga's history should show, and later steps may use */
export const succeeded = (result?: Record<string, unknown>): Reply => ({ outcome: 'succeeded', result });
/** @param reason a stable code */
export const refused = (reason: string): Reply => ({ outcome: 'refused', reason });
/** Refused without knowing what an earlier delivery of the command did: its saga has to undo it all the same. */
export const refusedInDoubt = (reason: string): Reply => ({ outcome: 'refused', reason, inDoubt: true });
