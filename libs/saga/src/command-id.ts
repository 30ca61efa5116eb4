/** The id of a command. It is derived and never stored, so the same command has the same id each time it is sent. */
import { isUUID } from 'class-validator';
import type { ActionName } from './saga-state';

export function commandId(sagaId: string, step: string, action: ActionName): string {
  return `${sagaId}/${step}/${action}`;
}

/** Returns undefined for what cannot be the id of one of our commands: a message may name anything. Such an id must not reach the database. */
export function parseCommandId(id: unknown): { sagaId: string; step: string; action: ActionName } | undefined {
  if (typeof id !== 'string') return undefined;
  const [sagaId = '', step, action, ...rest] = id.split('/');
  if (!isUUID(sagaId) || !step || (action !== 'do' && action !== 'undo') || rest.length > 0) return undefined;
  return { sagaId, step, action };
}
