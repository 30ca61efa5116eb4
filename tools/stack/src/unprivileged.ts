// PostgreSQL refuses to run as root; this finds the account to use instead, and what that account can reach.
import { chownSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Account {
  uid: number;
  gid: number;
}

/** The number of `nobody` on nearly every system, if there is no such name. */
const NOBODY_ID = 65_534;

/** The account for PostgreSQL: undefined when we are not root and may run it ourselves. */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readPasswd());
  return { uid: Number(entry?.[1] ?? NOBODY_ID), gid: Number(entry?.[2] ?? NOBODY_ID) };
}

/** Whether the account may enter every folder above `path` and, if `path` is a folder, `path` itself. */
export function canReach(account: Account | undefined, path: string): boolean {
  if (account === undefined) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid } = statSync(folder);
    const enterable = uid === account.uid ? 0o100 : 0o001;
    if ((mode & enterable) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

export function giveTo(account: Account | undefined, path: string): void {
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}
