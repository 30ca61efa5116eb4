/** Erases the data of a person or of a tenant from the table of dead letters, in small steps. */
import type { Database, Statement } from '@shop/postgres';
import { type DataSubject, type Letter, verdictOn } from './erased-letter';

/** A letter may have a megabyte. */
const LETTERS_PER_STEP = 20;
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Returns how many letters were deleted or changed. With `unowned`, it also looks through those that belong to no
 * tenant, because nobody can read them.
 */
export async function eraseDeadLetters(
  database: Database,
  subject: DataSubject,
  { unowned }: { unowned: boolean },
): Promise<number> {
  let erased = 0;
  for (let after: string | undefined = FIRST; after !== undefined;) {
    const from: string = after;
    const step = await database.transaction(async (tx) => {
      const letters = await tx.query<Letter>(selectLetters, [subject.tenant, unowned, from, LETTERS_PER_STEP]);
      const verdicts = letters.map((letter) => ({ id: letter.id, verdict: verdictOn(letter, subject) }));
      const gone = verdicts.filter(({ verdict }) => verdict === 'delete').map(({ id }) => id);
      if (gone.length > 0) tx.send(deleteLetters, [gone]);
      for (const { id, verdict } of verdicts) {
        if (typeof verdict === 'string') continue;
        tx.send(replaceTexts, [id, JSON.stringify(verdict.acts), verdict.lastError, verdict.content]);
      }
      return { last: letters.at(-1)?.id, count: verdicts.filter(({ verdict }) => verdict !== 'keep').length };
    });
    erased += step.count;
    after = step.last;
  }
  return erased;
}

const selectLetters: Statement = {
  name: 'dead-letter.select-to-erase',
  text: `
    select id, tenant, readable, size > octet_length(content) as cut, state, acts, last_error as "lastError", content
    from dead_letter where (tenant = $1 or ($2 and tenant is null)) and id > $3::uuid
    order by id limit $4 for update`,
};

const deleteLetters: Statement = {
  name: 'dead-letter.delete-erased',
  text: `delete from dead_letter where id = any($1::uuid[])`,
};

const replaceTexts: Statement = {
  name: 'dead-letter.replace-texts',
  text: `
    update dead_letter set acts = $2::jsonb, last_error = $3, content = $4, size = octet_length($4::bytea)
    where id = $1::uuid`,
};
