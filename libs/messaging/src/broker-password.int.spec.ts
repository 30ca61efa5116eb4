import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@shop/observability';
import { startStack } from '@shop/stack';
import { eventually, testStack } from '@shop/testing';
import { closeAll, closeLater } from '../testing/test-service';
import { Broker } from './broker';

afterEach(closeAll);

it('R64 a password that changes in its file and then at the broker stops nobody', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'broker-password-'));
  // For the account that runs the servers of root.
  chmodSync(folder, 0o711);
  closeLater(async () => rmSync(folder, { recursive: true, force: true }));
  const [dataDir, passwordFile] = [join(folder, 'data'), join(folder, 'password')];
  const { adminUrl } = await testStack();
  const usersWith = (password: string) => `authorization { users: [ { user: order, password: ${password} } ] }`;
  const stack = await startStack({
    databases: [],
    dataDir,
    env: { ...process.env, DATABASE_URL: adminUrl, NATS_URL: '', TEST_STACK: '' },
    natsAccess: { configuration: usersWith('p-old'), operator: { user: 'order', password: 'p-old' } },
  });
  closeLater(() => stack.stop());
  writeFileSync(passwordFile, 'p-old\n');
  const events: string[] = [];
  const note = (...said: unknown[]): void => void events.push(String(said.at(-1)));
  const logger = { info: note, warn: note, error: note } as unknown as Logger;
  const url = `nats://127.0.0.1:${new URL(stack.natsUrl).port}`;
  const broker = new Broker({ url, service: 'order', credentials: { user: 'order', passwordFile }, logger });
  closeLater(() => broker.close());
  await broker.connect();

  writeFileSync(passwordFile, 'p-new\n');
  await broker.ping();
  const configFile = join(dataDir, 'nats.conf');
  writeFileSync(configFile, readFileSync(configFile, 'utf8').replace('p-old', 'p-new'));
  process.kill(stack.natsPid()!, 'SIGHUP');
  await eventually(() => expect(events).toContain('broker.reconnected'), { timeoutMs: 20_000 });
  await broker.ping();
}, 240_000);
