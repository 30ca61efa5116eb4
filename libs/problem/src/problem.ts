/** An error that a caller can act on: RFC 9457 problem details with a stable code. */
import { HttpException } from '@nestjs/common';

/** The members of an `application/problem+json` body (RFC 9457, section 3) plus our stable `code`. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  [extension: string]: unknown;
}

export interface ProblemOptions {
  /** Further members of the body, such as `errors` or `currentVersion`. */
  extensions?: Record<string, unknown>;
  headers?: Record<string, string>;
  cause?: unknown;
}

/**
 * Thrown when a request cannot be served for a reason the caller should know. It extends Nest's HttpException, so that
 * it has the right status in any Nest service, with or without our filter.
 */
export class Problem extends HttpException {
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    readonly code: string,
    detail: string,
    options: ProblemOptions = {},
  ) {
    const body: ProblemBody = {
      type: `urn:shop:problem:${code}`,
      title: titleOf(code),
      status,
      detail,
      code,
      ...options.extensions,
    };
    super(body, status, { cause: options.cause });
    this.headers = options.headers ?? {};
  }

  get body(): ProblemBody {
    return this.getResponse() as ProblemBody;
  }
}

/** The code in words: `idempotency_key_reused` → `Idempotency key reused`. */
function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
