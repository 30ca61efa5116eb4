/** Run as a process of its own by a test: answers its messages, and is killed by those that say so. */
import 'reflect-metadata';
import { replyTo } from '../src/reply';
import { answerEach, startService } from './test-service';

async function main([mailbox, natsUrl, databaseUrl]: string[]): Promise<void> {
  const handler = answerEach(async ({ message }) => {
    // Its neighbours in the batch are on their way by now.
    await new Promise((resolve) => setImmediate(resolve));
    if (message.id.startsWith('kill')) process.kill(process.pid, 'SIGKILL');
    return replyTo(message, 'test', { outcome: 'succeeded' });
  });
  await startService(mailbox!, handler, { natsUrl: natsUrl!, databaseUrl: databaseUrl! });
  process.stdout.write('ready\n');
}

void main(process.argv.slice(2));
