/**
 * A client as any other: it has the addresses of the services and a key, and repeats a request until it has an answer or
 * its time is over.
 */
import { setTimeout as pause } from 'node:timers/promises';

export interface Addresses {
  order: string;
  inventory: string;
  payment: string;
}

export interface Asked {
  method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  body?: object;
  headers?: Record<string, string>;
}

export interface Answered {
  status: number;
  body: Record<string, unknown>;
}

/** No answer of the services is that long in coming, not even one that was asked to wait. */
const ANSWER_WITHIN_MS = 30_000;
const REPEAT_PAUSE_MS = 500;

export class Client {
  constructor(
    private readonly addresses: Addresses,
    private readonly apiKey: string,
  ) {}

  /**
   * Every request has a key or is naturally idempotent, so it is repeated when it is not answered, or when it is told to
   * come again.
   * @throws the reason of `signal` when the time is over
   */
  async ask(service: keyof Addresses, path: string, asked: Asked, signal: AbortSignal): Promise<Answered> {
    for (;;) {
      signal.throwIfAborted();
      const answered = await this.send(service, path, asked, signal).catch(() => undefined);
      if (answered && answered.status < 500 && ![408, 425, 429].includes(answered.status) && !isBusy(answered)) {
        return answered;
      }
      await pause(REPEAT_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async send(
    service: keyof Addresses,
    path: string,
    { method = 'GET', body, headers }: Asked,
    signal: AbortSignal,
  ): Promise<Answered> {
    const response = await fetch(this.addresses[service] + path, {
      method,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body && JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    const text = await response.text();
    return { status: response.status, body: objectIn(text) };
  }
}

/** Another request with the same key is on its way: the one whose answer was lost. */
const isBusy = ({ status, body }: Answered): boolean => status === 409 && body['code'] === 'idempotency_key_in_use';

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
