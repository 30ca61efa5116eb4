/**
 * One other service of the shop, asked for what it knows. It may be late, away or wrong: a screen then goes without, and
 * work that needs the answer is done later.
 */
import { counter, type Logger } from '@shop/observability';
import { Dependency, type DependencyOptions, OutsideClient, RetryableError, TerminalError } from '@shop/resilience';
import { validate } from '@shop/validation';

/** The neighbour gave no answer in time, or none that can be used. What it knows may exist all the same. */
export type Away = 'away';

export interface NeighbourOptions extends Partial<Pick<DependencyOptions, 'restMs' | 'maxTries' | 'totalMs'>> {
  /** The service. Also the label of the metrics. */
  name: string;
  /** Where it listens. Without it the neighbour is always away. */
  url?: string;
  /** The service key. Without it nothing is asked: no neighbour answers strangers. */
  key?: string;
  /**
   * For one try. A person waits for a screen, and what comes later is not worth waiting for: so there is one try, unless
   * `maxTries` and `totalMs` say something else.
   */
  deadlineMs: number;
  logger: Logger;
}

export interface Question<T extends object> {
  /** The tenant that the neighbour is asked for. Those who wait are served in turn. */
  tenant: string;
  path: string;
  /** What is used of the answer. What it has beside that is dropped. */
  type: new () => T;
  /** Whether it answers this question: a right answer to another one would show a customer things of somebody else. */
  fits: (answer: T) => boolean;
  /** The code of the 404 which says that there is no such thing. Any other 404 may be that of a wrong address. */
  absent?: string;
}

/** At so many calls at once a neighbour is slow by itself. Each holds a socket and an answer of at most 1 MiB. */
const CALLS_AT_ONCE = 16;
/** More than get their turn before the deadline. */
const MAX_WAITING_PER_TENANT = 200;
/** A neighbour that is away is away for each screen. One line in this time says so. */
const SAY_EVERY_MS = 10_000;

const reads = counter('neighbour_reads_total', 'Questions to other services, by what came of them', [
  'neighbour',
  'outcome',
]);

export class Neighbour {
  private readonly client: OutsideClient;
  private saidAt = -Infinity;

  constructor(private readonly options: NeighbourOptions) {
    const { name, deadlineMs, restMs, maxTries = 1, totalMs = deadlineMs } = options;
    this.client = new OutsideClient(
      new Dependency({
        name,
        calls: CALLS_AT_ONCE,
        maxWaiting: MAX_WAITING_PER_TENANT,
        timeoutMs: deadlineMs,
        totalMs,
        // By default one: a second try would come behind the deadline, and twice as many calls to one that is slow.
        maxTries,
        restMs,
      }),
    );
  }

  /** For a screen. Undefined when there is no such thing. Never throws. */
  async ask<T extends object>(question: Question<T>): Promise<T | undefined | Away> {
    return this.read(question).catch(() => 'away' as const);
  }

  /**
   * For work that cannot go on without the answer. Undefined when there is no such thing.
   * @throws RetryableError when the neighbour is away, or its answer cannot be used
   */
  async read<T extends object>(question: Question<T>): Promise<T | undefined> {
    const { name } = this.options;
    try {
      const answer = await this.answerTo(question);
      reads.inc({ neighbour: name, outcome: 'answered' });
      return answer;
    } catch (error) {
      reads.inc({ neighbour: name, outcome: 'away' });
      this.say(error as Error);
      throw new RetryableError(`${name} is away`, { cause: error });
    }
  }

  private async answerTo<T extends object>(question: Question<T>): Promise<T | undefined> {
    const { url, key } = this.options;
    if (url === undefined || key === undefined) throw new UnusableError('it has no address or no key here');
    const { tenant, path, type, fits, absent } = question;
    const headers = { authorization: `Bearer ${key}`, 'shop-tenant': tenant, accept: 'application/json' };
    const { status, body } = await this.client.request(url.replace(/\/+$/, '') + path, { turn: tenant, headers });
    if (status === 404 && absent !== undefined && codeIn(body) === absent) return undefined;
    if (status !== 200) throw new UnusableError(`the answer was ${status}`);
    const read = validate(type, jsonIn(body), { unknownProperties: 'drop' });
    if (!read.ok) throw new UnusableError(`the answer is not of the form ${type.name}`);
    if (!fits(read.value)) throw new UnusableError('the answer is that to another question');
    return read.value;
  }

  private say(error: Error): void {
    const now = performance.now();
    if (now - this.saidAt < SAY_EVERY_MS) return;
    this.saidAt = now;
    this.options.logger.warn({ neighbour: this.options.name, reason: reasonOf(error) }, 'neighbour.away');
  }
}

/** Thrown when there was an answer, or there can be none, and nothing can be made of it. */
class UnusableError extends TerminalError {}

/** Only words of ours and codes: the message of another error may repeat what a stranger wrote, or an address. */
function reasonOf(error: Error): string {
  if (error instanceof RetryableError || error instanceof TerminalError) return error.message;
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? cause.code : error.name;
}

function codeIn(body: string): unknown {
  const problem = jsonIn(body);
  return typeof problem === 'object' && problem !== null && 'code' in problem ? problem.code : undefined;
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw new UnusableError('the answer is no JSON');
  }
}
