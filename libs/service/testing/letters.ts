/** Dead letters as a service has put them away, for tests of what is done about them. */
import { randomUUID } from 'node:crypto';
import { newMessage } from '@shop/messaging';
import type { Database } from '@shop/postgres';

export interface PutLetter {
  mailbox: string;
  tenant?: string | null;
  type?: string | null;
  error?: string;
  /** It was too large to be kept whole. */
  cut?: boolean;
  /** Given up on so long ago. */
  ageSeconds?: number;
}

/** Returns the id of the letter, which is that of its message too. */
export async function putLetterIn(database: Database, letter: PutLetter): Promise<string> {
  const [id] = await putLettersIn(database, letter, 1);
  return id!;
}

/** So many of the same kind, the first of them the oldest. */
export async function putLettersIn(database: Database, letter: PutLetter, count: number): Promise<string[]> {
  const { mailbox, tenant = 'acme', type = 'test.do.v1', error = 'Error: out of luck', cut, ageSeconds = 0 } = letter;
  const rows = Array.from({ length: count }, () => {
    const id = randomUUID();
    const message = newMessage({ id, type: type ?? 'none', source: 'test', subject: 'saga', data: { tenant } });
    return { id, content: JSON.stringify(message) };
  });
  await database.query(
    {
      name: 'test.put-letters',
      text: `insert into dead_letter (id, mailbox, message_id, tenant, type, readable, content, size, deliveries, killed,
                                      last_error, state, first_seen_at, last_seen_at)
             select id, $2, id::text, $3, $4, true, convert_to(content, 'UTF8'),
                    octet_length(content) + case when $6::boolean then 1000000 else 0 end, 3, false, $5, 'open',
                    now() - make_interval(secs => $7::float8) + n * interval '1 microsecond',
                    now() - make_interval(secs => $7::float8)
             from jsonb_array_elements($1::jsonb) with ordinality as r (row, n),
                  jsonb_to_record(row) as l (id uuid, content text)`,
    },
    [JSON.stringify(rows), mailbox, tenant, type, error, cut ?? false, ageSeconds],
  );
  return rows.map(({ id }) => id);
}
