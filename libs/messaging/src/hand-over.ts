/** The second half of a replay, behind its commit: the message goes to its mailbox again. */
import type { Database } from '@shop/postgres';
import { payloadOf } from './dead-letter';
import { findReplayed } from './dead-letter.repository';
import type { Publisher } from './publisher';

/**
 * Resolves when the broker has the message. It may be called again: under its own id, the message has its effect once. If the
 * letter has changed since, or was erased, that counts more than the replay, and nothing is sent.
 * @throws RetryableError when the broker does not take it
 */
export async function handOverReplayed(database: Database, publisher: Publisher, letterId: string): Promise<void> {
  const letter = await findReplayed(database, letterId);
  if (letter) await publisher.replay(letter.mailbox, payloadOf(letter, letter.content));
}
