/** The id of a command: derived, never stored, so the same command has the same id however often it is sent. */
import { isUUID } from 'class-validator';
import type { ActionName } from './saga-state';

export function commandId(sagaId: string, step: string, action: ActionName): string {
  return `${sagaId}/${step}/${action}`;
}

/** Undefined for an id that no command of ours can have: a stranger's must not reach the database. */
export function parseCommandId(id = ''): { sagaId: string; step: string; action: ActionName } | undefined {
  const [sagaId = '', step, action, ...rest] = id.split('/');
  if (!isUUID(sagaId) || !step || (action !== 'do' && action !== 'undo') || rest.length > 0) return undefined;
  return { sagaId, step, action };
}
