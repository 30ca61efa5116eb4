/** Asks the server of the console. Each answer that is no success is a `Refusal` with a stable code. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly body: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
    this.name = 'Refusal';
  }

  /** Nobody could say yes or no: the same request may come again. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Longer than the server of the console waits for a service. */
const ANSWER_WITHIN_MS = 12_000;

export interface Change {
  method: 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: unknown;
  /** Made once for each act of a person, so that a repeat is the same act. */
  key?: string;
}

export const read = <T>(path: string, signal?: AbortSignal): Promise<T> => send<T>('GET', path, { signal });

export const change = <T>({ method, path, body, key }: Change): Promise<T> =>
  send<T>(method, path, {
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key && { 'idempotency-key': key }),
    },
  });

export const newKey = (): string => crypto.randomUUID();

let whenSignedOut = (): void => undefined;

/** Called whenever the server says that the session is over. */
export function onSignedOut(tell: () => void): void {
  whenSignedOut = tell;
}

async function send<T>(method: string, path: string, init: RequestInit): Promise<T> {
  const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);
  let answer: Response;
  try {
    answer = await fetch(path, {
      ...init,
      method,
      headers: { ...init.headers, 'x-console': '1' },
      signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit,
    });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Refusal(0, 'no_answer', 'The console itself does not answer.');
  }
  if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as T;
  const refusal = await refusalOf(answer);
  if (answer.status === 401 && path !== '/session') whenSignedOut();
  throw refusal;
}

async function refusalOf(answer: Response): Promise<Refusal> {
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const { code = 'unknown', detail = `The answer was ${answer.status}.` } = body;
  return new Refusal(answer.status, String(code), String(detail), body);
}
