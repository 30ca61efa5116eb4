/** An error that a caller can act on: RFC 9457 problem details with a stable code. */
import { HttpException } from '@nestjs/common';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';

/** The members of an `application/problem+json` body (RFC 9457, section 3) plus our stable `code`. */
@ApiSchema({ name: 'Problem', description: 'Why a request was not served (RFC 9457).' })
export class ProblemBody {
  @ApiProperty({ description: 'a name of the kind of problem, which leads nowhere', format: 'uri' })
  type: string;

  @ApiProperty({ description: 'the code in words' })
  title: string;

  @ApiProperty({ type: 'integer', description: 'the status of the response' })
  status: number;

  @ApiProperty({ description: 'what was wrong with this request, for people' })
  detail: string;

  @ApiProperty({ description: 'what programs look at; it does not change' })
  code: string;

  [extension: string]: unknown;
}

export interface ProblemOptions {
  /** More members of the body, such as `errors` or `currentVersion`. */
  extensions?: Record<string, unknown>;
  headers?: Record<string, string>;
  cause?: unknown;
}

/**
 * Thrown when a request cannot be served for a reason that the caller should know. It extends HttpException of Nest, so
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
