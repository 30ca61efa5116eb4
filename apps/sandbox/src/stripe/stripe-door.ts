/** What every route of the Stripe API does: it names the request, lets the faults in, and answers. */
import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LOGGER } from '@shop/service';
import type { Logger } from '@shop/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FaultPlanner } from '../faults/faults';
import { Responder } from '../faults/responder';
import type { Answer, Call } from './answer';
import { Books } from './books';
import { expand } from './expand';
import { fingerprintOf, listOf, type Form } from './form';
import type { Source } from './sources';
import { invalidParameter } from './stripe-error';

const REQUEST_ID_BYTES = 7;
/** Stripe's own limit. */
const MAX_KEY_LENGTH = 255;

export interface Write {
  what: 'create' | 'confirm' | 'capture' | 'cancel' | 'refund';
  form: Form;
  /** Of a charge, which may have faults of its own. */
  source?: Source;
  /** Whose first attempt may fail because of its source. The default is the idempotency key. */
  attempted?: string;
  work: (call: Call) => Answer;
}

@Injectable()
export class StripeDoor {
  constructor(
    private readonly books: Books,
    private readonly faults: FaultPlanner,
    private readonly responder: Responder,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async write(reply: FastifyReply, { what, form, source, attempted, work }: Write): Promise<void> {
    const { headers, url } = reply.request;
    const key = keyOf(headers['idempotency-key']);
    identify(reply, key);
    // A charge that was already answered has had the fault of its source; only the faults for everybody still apply.
    const plan = this.faults.plan(this.books.hasAnswer(key) ? undefined : source, attempted ?? key);
    const call = { key, fingerprint: fingerprintOf(pathOf(url), form) };
    const answer = (): Answer<object> => {
      const { body, ...rest } = this.logged(what, work(call), key);
      return { ...rest, body: 'error' in body ? body : expand(body, listOf(form, 'expand'), this.books) };
    };
    await this.responder.send(reply, plan, answer, { key });
  }

  async read(reply: FastifyReply, find: () => object): Promise<void> {
    identify(reply);
    const query = reply.request.query as Form;
    const work = () => ({ status: 200, body: expand(find(), listOf(query, 'expand'), this.books) });
    await this.responder.send(reply, this.faults.plan(), work);
  }

  private logged(what: Write['what'], answer: Answer, idempotencyKey?: string): Answer {
    const { status, replayed = false, body } = answer;
    const reference = 'error' in body ? body.error.payment_intent?.id : body.id;
    this.logger.info(
      { reference, replayed, idempotencyKey },
      `sandbox.${what}.${status === 200 ? 'succeeded' : 'refused'}`,
    );
    return answer;
  }
}

/** Where a browser finds this process, as the caller has found it. */
export function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}

function pathOf(url: string): string {
  return url.split('?')[0]!;
}

function identify(reply: FastifyReply, key?: string): void {
  void reply.header('request-id', `req_${randomBytes(REQUEST_ID_BYTES).toString('hex')}`);
  if (key !== undefined) void reply.header('idempotency-key', key);
}

function keyOf(header: string | string[] | undefined): string | undefined {
  const key = [header].flat()[0];
  if (key !== undefined && key.length > MAX_KEY_LENGTH) {
    throw invalidParameter('Idempotency-Key', `Keys have at most ${MAX_KEY_LENGTH} characters.`);
  }
  return key || undefined;
}
