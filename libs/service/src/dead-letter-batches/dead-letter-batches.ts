/** One act on many dead letters, as a kind of bulk act: which letters a filter means, and how a few of them are acted on. */
import { type BulkKind, bulkSet, type HeldAct } from '@shop/bulk';
import {
  type Act,
  actOnDeadLetters,
  handOverReplayed,
  lockDeadLetters,
  meantLetters,
  type Publisher,
  type SeenLetter,
} from '@shop/messaging';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';

export const letterActs = ['replay', 'discard'] as const;
export type LetterAct = (typeof letterActs)[number];

const stateAfter: Record<LetterAct, Act['act']> = { replay: 'replayed', discard: 'discarded' };

const LETTERS = 'dead_letter';

/** Behind the tenant and the filter comes whether those without a tenant are meant too. */
export const openLetters = bulkSet(LETTERS, meantLetters({ tenant: '$2', filter: '$5', unowned: '$11' }));

export interface ActsOnLettersOptions {
  database: Database;
  publisher: Publisher;
  logger: Logger;
}

export function actsOnLetters({ database, publisher, logger }: ActsOnLettersOptions): BulkKind {
  return {
    name: LETTERS,
    idField: 'deadLetterId',
    act: async (tx, held, subjects) => {
      const letters = await lockDeadLetters(
        tx,
        subjects.map(({ subjectId }) => subjectId),
      );
      const act = held.act as LetterAct;
      const codes = subjects.map(({ subjectId, version }) => whyNot(act, letters.get(subjectId), version));
      const ids = subjects.flatMap(({ subjectId }, index) => (codes[index] === undefined ? [subjectId] : []));
      const by = `${held.tenant}/${held.madeBy}`;
      actOnDeadLetters(tx, ids, { act: stateAfter[act], by, reason: reasonOf(held) });
      tx.afterCommit(() => {
        for (const deadLetterId of ids) {
          logger.info({ deadLetterId, by, batchId: held.id }, `messaging.dead_letter.${stateAfter[act]}`);
        }
      });
      return codes;
    },
    handOver: { replay: (letterId) => handOverReplayed(database, publisher, letterId) },
  };
}

function whyNot(act: LetterAct, letter: SeenLetter | undefined, deliveries: number): string | undefined {
  if (!letter) return 'dead_letter_not_found';
  if (letter.state !== 'open' || letter.deliveries !== deliveries) return 'dead_letter_changed';
  return act === 'replay' && letter.cut ? 'dead_letter_cut' : undefined;
}

/** A reason is needed; the table of bulk acts cannot say so. */
const reasonOf = ({ reason }: HeldAct): string => reason ?? 'none given';
