/** Asks a service for the page, with the key of the operator, for a bounded time and for a bounded answer. */
import { Injectable } from '@nestjs/common';
import { Problem } from '@shop/problem';
import { type Asked, ConsoleSettings } from '../console-settings';

export interface Question {
  service: Asked;
  method: string;
  /** With what stands behind `?`. */
  path: string;
  key: string;
  headers: Record<string, string>;
  body?: string;
}

export interface UpstreamAnswer {
  status: number;
  headers: Headers;
  body: string;
}

/** Longer than a service lets a client wait for its turn, and shorter than a person waits. */
const ANSWER_WITHIN_MS = 8_000;
/** A page of the longest list is shorter. */
const MAX_ANSWER_BYTES = 4 * 1_024 * 1_024;

@Injectable()
export class Upstream {
  constructor(private readonly settings: ConsoleSettings) {}

  /** @throws Problem 502 `service_away`, 504 `service_slow`, 502 `answer_too_large` */
  async ask(question: Question): Promise<UpstreamAnswer> {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    try {
      const answer = await this.send(question, signal);
      return { status: answer.status, headers: answer.headers, body: await bounded(answer) };
    } catch (error) {
      throw problemOf(question.service, error, signal);
    }
  }

  /** The answer whose body has no end; the caller aborts it. @throws Problem as above */
  async open(question: Question, signal: AbortSignal): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_WITHIN_MS);
    try {
      return await this.send(question, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      throw problemOf(question.service, error, late.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  private send({ service, method, path, key, headers, body }: Question, signal: AbortSignal): Promise<Response> {
    return fetch(`${this.settings.urls[service].replace(/\/+$/, '')}${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
      body,
      signal,
      // The key would go wherever it leads.
      redirect: 'error',
    });
  }
}

async function bounded(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body ?? []) {
    size += (part as Uint8Array).length;
    if (size > MAX_ANSWER_BYTES) throw new Problem(502, 'answer_too_large', 'the answer is longer than any page needs');
    parts.push(part as Uint8Array);
  }
  return Buffer.concat(parts).toString();
}

function problemOf(service: Asked, error: unknown, signal: AbortSignal): Problem {
  if (error instanceof Problem) return error;
  if (signal.aborted) return new Problem(504, 'service_slow', `${service} does not answer in time`, { cause: error });
  return new Problem(502, 'service_away', `${service} does not answer`, { cause: error });
}
