/** Names for the PostgreSQL error codes that decisions depend on (PostgreSQL manual, appendix A). */
interface PgError {
  code?: string;
  constraint?: string;
}

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const UNIQUE_VIOLATION = '23505';

/** True when the same transaction may succeed if it runs again from its start. */
export function isSerializationFailure(error: unknown): boolean {
  const code = (error as PgError | undefined)?.code;
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  const { code, constraint: violated } = (error ?? {}) as PgError;
  return code === UNIQUE_VIOLATION && violated === constraint;
}

/** Connection exceptions, administrator shutdown, crash, cannot connect now, too many connections. */
const AWAY = /^(08...|57P0[1-5]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND)$/;
const AWAY_MESSAGE = /Connection terminated|timeout exceeded when trying to connect|not queryable|Client was closed/;

/** True when the database could not be reached or went away. The statement is not the cause. */
export function isConnectionFailure(error: unknown): boolean {
  return AWAY.test((error as PgError | undefined)?.code ?? '') || AWAY_MESSAGE.test((error as Error)?.message ?? '');
}

const LOCK_NOT_AVAILABLE = '55P03';

/** True when another transaction held a needed row longer than we wait for one. */
export function isLockTimeout(error: unknown): boolean {
  return (error as PgError | undefined)?.code === LOCK_NOT_AVAILABLE;
}

/**
 * Out of disk, memory or connections; an I/O error; a statement or transaction that took too long; a server that is
 * read-only, for example after a failover.
 */
const IN_TROUBLE = /^(53...|58...|57014|25P03|25006)$/;

/** True when the database could not do it now and may do it later. The request is not the cause. */
export function isPassing(error: unknown): boolean {
  return (
    isConnectionFailure(error) ||
    isLockTimeout(error) ||
    isSerializationFailure(error) ||
    IN_TROUBLE.test((error as PgError | undefined)?.code ?? '')
  );
}

const IN_FAILED_TRANSACTION = '25P02';

/** True when a statement was refused only because an earlier statement of the same transaction has failed. */
export function isTransactionAborted(error: unknown): boolean {
  return (error as PgError | undefined)?.code === IN_FAILED_TRANSACTION;
}
