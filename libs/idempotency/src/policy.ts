/** What a keyed route promises about its key: what is kept, for how long, and the statuses of the answers. Pure. */
import type { Answer } from './answer';

/** Clients repeat for hours, and operators replay after a weekend. Three days are enough for both. */
export const DEFAULT_RETENTION_HOURS = 72;
/** A client may repeat a request for this long after its first attempt. No answer is forgotten sooner. */
export const DEFAULT_RETRY_WINDOW_HOURS = 24;
/** An answer is a page of JSON, not a download. What is kept for days has to be small. */
export const MAX_ANSWER_BYTES = 256 * 1_024;

export interface RoutePolicy {
  /** How long an answer is kept after completion. */
  retentionHours: number;
  /** The status of a repeat of a success: the first status, or 200 for clients that count 201s. */
  replayStatus: 'same' | 200;
  /** The status while another request with the key is being processed. */
  inUseStatus: 409 | 429;
  /** The status when the key was used for another request: 409, or 422 as in the IETF draft. */
  mismatchStatus: 409 | 422;
  /** Members of the body that only the first answer has. They are stored and repeated as null. */
  redact: readonly string[];
}

export const defaultPolicy: RoutePolicy = {
  retentionHours: DEFAULT_RETENTION_HOURS,
  replayStatus: 'same',
  inUseStatus: 409,
  mismatchStatus: 409,
  redact: [],
};

/** Refusals that the same request would get again: not allowed to pay, not found, in conflict, not possible. */
const FINAL_REFUSALS = [402, 404, 409, 410, 422];

/** Whether an answer with this status is kept. Any other answer may be different next time, so the key stays free. */
export function isKept({ status, kept }: Pick<Answer, 'status' | 'kept'>): boolean {
  return kept ?? (status < 400 || FINAL_REFUSALS.includes(status));
}

/** The answer as it is stored. */
export function withoutSecrets(answer: Answer, redact: readonly string[] | undefined): Answer {
  if (!redact?.length) return answer;
  const body = JSON.parse(answer.body) as Record<string, unknown>;
  for (const name of redact) if (name in body) body[name] = null;
  return { ...answer, body: JSON.stringify(body) };
}

/** The policy in words, for the OpenAPI document and for people. */
export function describePolicy({ retentionHours, replayStatus, inUseStatus, mismatchStatus, redact }: RoutePolicy) {
  return {
    stored: `2xx, 3xx, ${FINAL_REFUSALS.join(', ')}`,
    notStored: 'other 4xx, 5xx',
    retentionHours,
    replayStatus,
    inUseStatus,
    mismatchStatus,
    redacted: [...redact],
  };
}
