import { setClockAhead, useStack } from '@shop/testing';
import { closeAll, deadLettersIn, migrateMessaging, newCommand, openDatabase } from '../testing/test-service';
import { letterOf } from './dead-letter';
import { findOpenDeadLetters, listDeadLetters, putDeadLetter } from './dead-letter.repository';

const stack = useStack({ migrate: migrateMessaging });
afterEach(closeAll);

it('R46 dead letters are listed as they were put away, though a replica with a wrong clock wrote the first', async () => {
  const database = await openDatabase(stack.databaseUrl);
  const put = (write: typeof putDeadLetter): Promise<string> => {
    const arrival = { mailbox: 'cmd.test', deliveries: 5, firstSeenAt: new Date() };
    const letter = letterOf(newCommand(), new Error('out of luck'), false, arrival);
    return database.transaction((tx) => write(tx, letter));
  };
  // A module of its own, because the generator of ids never goes back behind its last time.
  let ofAnotherReplica!: typeof putDeadLetter;
  await jest.isolateModulesAsync(async () => {
    ({ putDeadLetter: ofAnotherReplica } = await import('./dead-letter.repository'));
  });
  const putRight = setClockAhead(2 * 24 * 3_600_000);
  const ids = [await put(putDeadLetter)];
  putRight();
  for (let n = 0; n < 5; n++) ids.push(await put(ofAnotherReplica));
  const newestFirst = ids.reverse();
  const letters = await listDeadLetters(deadLettersIn(database), {
    reach: { tenant: 'acme', unowned: true },
    limit: 10,
  });
  expect(letters.map(({ id }) => id)).toEqual(newestFirst);
  const messages = letters.map(({ mailbox, messageId }) => ({ mailbox, messageId }));
  expect(await findOpenDeadLetters(database, 3)).toEqual(messages.slice(0, 3));
  expect(letters.every(({ firstSeenAt, lastSeenAt }) => firstSeenAt <= lastSeenAt)).toBe(true);
});
