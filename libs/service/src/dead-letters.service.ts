/** Reads dead letters, and carries out the decision of an operator about one of them. */
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Caller } from '@shop/http';
import { type Answer, answerWith, type Claim, Idempotency, type Outcome } from '@shop/idempotency';
import {
  type Act,
  actOnDeadLetter,
  type DeadLetter,
  DeadLetterEntity,
  type DeadLetterGroup,
  type DeadLetterState,
  findDeadLetter,
  groupDeadLetters,
  handOverReplayed,
  listDeadLetters,
  lockDeadLetter,
  Publisher,
  type Reach,
} from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database, type Tx } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { isUUID } from 'class-validator';
import type { Repository } from 'typeorm';
import { LOGGER } from './logger';

type Wish = Pick<Act, 'act' | 'reason'>;

@Injectable()
export class DeadLettersService {
  constructor(
    @InjectRepository(DeadLetterEntity) private readonly letters: Repository<DeadLetterEntity>,
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly publisher: Publisher,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Newest first; up to `limit` dead letters after the id `before`. */
  list(caller: Caller, page: { state?: DeadLetterState; before?: string; limit: number }): Promise<DeadLetter[]> {
    return listDeadLetters(this.letters, { ...page, reach: reachOf(caller) });
  }

  /** By kind and by how they failed: the largest groups first. */
  groups(caller: Caller, state: DeadLetterState): Promise<DeadLetterGroup[]> {
    return groupDeadLetters(this.database, reachOf(caller), state);
  }

  /** @throws Problem 404 `dead_letter_not_found`, also for a dead letter of another tenant */
  async get(caller: Caller, id: string): Promise<DeadLetter & { content: Buffer }> {
    const letter = isUUID(id) ? await findDeadLetter(this.letters, reachOf(caller), id) : undefined;
    if (!letter) throw notFound();
    return letter;
  }

  async replay(caller: Caller, claim: Claim, id: string, reason: string): Promise<Outcome> {
    const outcome = await this.act(caller, claim, id, { act: 'replayed', reason });
    // This is also done for a repeat of the request. The first request may have ended between its commit and the
    // broker.
    if (isDone(outcome)) await handOverReplayed(this.database, this.publisher, id);
    return outcome;
  }

  discard(caller: Caller, claim: Claim, id: string, reason: string): Promise<Outcome> {
    return this.act(caller, claim, id, { act: 'discarded', reason });
  }

  private async act(caller: Caller, claim: Claim, id: string, wish: Wish): Promise<Outcome> {
    const outcome = await this.idempotency.once(claim, (tx) => act(tx, caller, id, wish));
    if (outcome.kind === 'fresh' && isDone(outcome)) {
      // The reason may name people. It stays in the row, where it can be erased.
      this.logger.info({ deadLetterId: id, by: nameOf(caller) }, `messaging.dead_letter.${wish.act}`);
    }
    return outcome;
  }
}

async function act(tx: Tx, caller: Caller, id: string, wish: Wish): Promise<Answer> {
  const letter = isUUID(id) ? await lockDeadLetter(tx, reachOf(caller), id) : undefined;
  if (!letter) throw notFound();
  if (wish.act === 'replayed' && letter.cut) throw cut(letter);
  return answerWith(200, await actOnDeadLetter(tx, id, { ...wish, by: nameOf(caller) }));
}

/** Of whom the caller sees dead letters. */
export const reachOf = ({ tenant, roles }: Caller): Reach => ({ tenant, unowned: roles.includes('platform') });

const isDone = (outcome: Outcome): boolean => 'answer' in outcome && outcome.answer.status === 200;

const nameOf = ({ tenant, principal }: Caller): string => `${tenant}/${principal}`;

const notFound = () => new Problem(404, 'dead_letter_not_found', 'there is no such dead letter');

const cut = ({ size }: DeadLetter) =>
  new Problem(409, 'dead_letter_cut', `its ${size} bytes were too many to be kept, so it cannot be handed over again`);
