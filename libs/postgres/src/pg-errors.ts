/**
 * Sorts failures by their code, so that code can decide what to do next (PostgreSQL manual, appendix A, and the error
 * numbers of the operating system).
 */

/**
 * - `race`: the transaction collided with another one. The same transaction may succeed if it runs again.
 * - `busy`: a row was locked for too long, or a statement took too long. Later it may succeed.
 * - `session`: this connection is not fit any more, but a fresh one may be.
 * - `away`: the database cannot be reached, or cannot work at the moment.
 * - `request`: the values of the statement are the cause. It would fail each time.
 * - `unknown`: PostgreSQL gave a code that tells none of this.
 */
export type Fault = 'race' | 'busy' | 'session' | 'away' | 'request' | 'unknown';

/** Thrown when the database cannot be reached, or does not answer. What was sent may have been done. */
export class DatabaseAwayError extends Error {
  readonly code?: string;

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'DatabaseAwayError';
    this.code = (options.cause as Coded | undefined)?.code;
  }
}

interface Coded {
  code?: string;
  constraint?: string;
  message?: string;
  routine?: string;
  cause?: unknown;
  /** In errors of TypeORM, the error that it was made of. */
  driverError?: unknown;
}

const UNIQUE_VIOLATION = '23505';
const LOCK_NOT_AVAILABLE = '55P03';
const IN_FAILED_TRANSACTION = '25P02';
const UNDEFINED_TABLE = '42P01';
const FEATURE_NOT_SUPPORTED = '0A000';

/** Single codes come before their class. */
const BY_CODE: Readonly<Record<string, Fault>> = {
  '40001': 'race', // serialization failure
  '40P01': 'race', // deadlock detected
  '40003': 'session', // statement completion unknown
  [LOCK_NOT_AVAILABLE]: 'busy',
  '57014': 'busy', // query canceled, for example by a timeout
  '55000': 'away', // for example: recovery is in progress
  '3D000': 'away', // the database does not exist at the moment
};

const BY_CLASS: Readonly<Record<string, Fault>> = {
  '08': 'away', // connection exception
  '21': 'request', // cardinality violation
  '22': 'request', // data exception
  '23': 'request', // integrity constraint violation
  '24': 'session', // invalid cursor state
  '25': 'session', // invalid transaction state; it includes a session that may only read
  '26': 'session', // invalid statement name
  '28': 'away', // invalid authorization: perhaps a password is being changed
  '2D': 'session', // invalid transaction termination
  '34': 'session', // invalid cursor name
  '3B': 'session', // savepoint exception
  '44': 'request', // check option violation
  '53': 'away', // out of disk, memory or connections
  '54': 'request', // a limit of the server, such as the size of an index row
  '57': 'away', // shutdown, crash, cannot connect now
  '58': 'away', // an error outside of the server, such as an I/O error
  F0: 'away', // configuration file error
};

/** Of the operating system, of the name service, of TLS, and of the HTTP client of Node. */
const AWAY_CODE = new RegExp(
  [
    'E(CONN(REFUSED|RESET|ABORTED)|PIPE|TIMEDOUT|PROTO|HOST(UNREACH|DOWN)|NET(UNREACH|DOWN|RESET)|ADDRNOTAVAIL)',
    'E(MFILE|NFILE|NOBUFS|NOMEM|NOSPC|DQUOT|IO|ROFS)',
    'ENOTFOUND|EAI_\\w+',
    '(CERT|ERR_TLS|ERR_SSL|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|UND_ERR)_\\w+',
  ]
    .map((codes) => `^(${codes})$`)
    .join('|'),
);
/** `pg` makes these errors itself, without a code. */
const AWAY_MESSAGE = /Connection terminated|timeout exceeded when trying to connect|not queryable|Client was closed/;
/** The function of the server that refuses a plan whose columns have changed. Its message may be in any language. */
const STALE_PLAN = 'RevalidateCachedQuery';
const SQLSTATE = /^[0-9A-Z]{5}$/;
/** An error may be its own cause. */
const MAX_CAUSES = 10;

/** The kind of the failure, or of the first of its causes that has one. Undefined if none of them tells. */
export function faultOf(error: unknown): Fault | undefined {
  let at = error as Coded | null | undefined;
  for (let depth = 0; at !== undefined && at !== null && depth < MAX_CAUSES; depth++) {
    const fault = faultOfOne(at);
    if (fault) return fault;
    at = (at.cause ?? at.driverError) as Coded | null | undefined;
  }
  return undefined;
}

function faultOfOne(error: Coded): Fault | undefined {
  if (error instanceof DatabaseAwayError) return 'away';
  const { code, message, routine } = error;
  if (typeof code === 'string') {
    if (AWAY_CODE.test(code)) return 'away';
    if (code === FEATURE_NOT_SUPPORTED && routine === STALE_PLAN) return 'session';
    if (SQLSTATE.test(code)) return BY_CODE[code] ?? BY_CLASS[code.slice(0, 2)] ?? 'unknown';
  }
  return typeof message === 'string' && AWAY_MESSAGE.test(message) ? 'away' : undefined;
}

/** True when the failure says nothing about the request, and the same request may succeed later. */
export function isPassing(error: unknown): boolean {
  const fault = faultOf(error);
  return fault !== undefined && fault !== 'request' && fault !== 'unknown';
}

/** True when everything that is asked at the moment would fail like this. */
export function isCommon(error: unknown): boolean {
  const fault = faultOf(error);
  return fault === 'session' || fault === 'away';
}

/** True when no answer came. It says nothing about what the database did. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof DatabaseAwayError;
}

/** True when the connection is in order after this failure, as soon as its transaction is rolled back. */
export function leavesSessionGood(error: unknown): boolean {
  const fault = faultOf(error);
  return fault === 'race' || fault === 'busy' || fault === 'request';
}

/** True when the same transaction may succeed if it runs again from its start. */
export const isSerializationFailure = (error: unknown): boolean => faultOf(error) === 'race';

/** True when the server has refused a statement because of the state of the session. Nothing of it was done. */
export const isStaleSession = (error: unknown): boolean => faultOf(error) === 'session';

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  const { code, constraint: violated } = (error ?? {}) as Coded;
  return code === UNIQUE_VIOLATION && violated === constraint;
}

/** True when another transaction held a needed row longer than we wait for one. */
export function isLockTimeout(error: unknown): boolean {
  return (error as Coded | undefined)?.code === LOCK_NOT_AVAILABLE;
}

export function isMissingTable(error: unknown): boolean {
  return (error as Coded | undefined)?.code === UNDEFINED_TABLE;
}

/** True when a statement was refused only because an earlier statement of the same transaction has failed. */
export function isTransactionAborted(error: unknown): boolean {
  return (error as Coded | undefined)?.code === IN_FAILED_TRANSACTION;
}
