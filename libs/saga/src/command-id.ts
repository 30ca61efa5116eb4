/** The id of a command. It is derived and never stored, so the same command has the same id each time it is sent. */
import { isUUID } from 'class-validator';
import type { ActionName } from './saga-state';

export function commandId(sagaId: string, step: string, action: ActionName): string {
  return `${sagaId}/${step}/${action}`;
}

/** Returns undefined for an id that none of our commands can have. Such an id must not reach the database. */
export function parseCommandId(id = ''): { sagaId: string; step: string; action: ActionName } | undefined {
  const [sagaId = '', step, action, ...rest] = id.split('/');
  if (!isUUID(sagaId) || !step || (action !== 'do' && action !== 'undo') || rest.length > 0) return undefined;
  return { sagaId, step, action };
}
