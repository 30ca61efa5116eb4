/** The id of a command. It is derived and never stored, so the same command has the same id each time it is sent. */
import { isUUID } from 'class-validator';
import type { ActionName } from './saga-state';

/** @param revision of a command that an operator has corrected: another command, with another id */
export function commandId(sagaId: string, step: string, action: ActionName, revision = 1): string {
  const id = `${sagaId}/${step}/${action}`;
  return revision > 1 ? `${id}/${revision}` : id;
}

export interface CommandParts {
  sagaId: string;
  step: string;
  action: ActionName;
  /** Absent for a command as the definition makes it. */
  revision?: number;
}

/** A correction is made by hand, and its number is written in one way only. */
const REVISION = /^(?:[2-9]|[1-9]\d{1,5})$/;

/** Returns undefined for what cannot be the id of one of our commands: a message may name anything. Such an id must not reach the database. */
export function parseCommandId(id: unknown): CommandParts | undefined {
  if (typeof id !== 'string') return undefined;
  const [sagaId = '', step, action, revision, ...rest] = id.split('/');
  if (!isUUID(sagaId) || !step || (action !== 'do' && action !== 'undo') || rest.length > 0) return undefined;
  if (revision === undefined) return { sagaId, step, action };
  return REVISION.test(revision) ? { sagaId, step, action, revision: Number(revision) } : undefined;
}
