// Runs PostgreSQL and NATS in containers, when TEST_STACK=containers.
import type { GenericContainer, StartedTestContainer } from 'testcontainers';
import { accessUrl, type NatsAccess, natsWithoutFaults, type NatsServer } from './nats';
import { withoutFaults, type PostgresServer } from './postgres';
import { StackError } from './stack-error';

const POSTGRES_IMAGE = 'postgres:17-alpine';
const NATS_IMAGE = 'nats:2.10-alpine';
const PASSWORD = 'postgres';

/** The first start pulls the images. */
const START_TIMEOUT_MS = 300_000;

export interface ContainerOptions {
  port: number | undefined;
  durable: boolean;
}

export async function startPostgresContainer(options: ContainerOptions): Promise<PostgresServer> {
  const settings = ['max_connections=200', ...(options.durable ? [] : ['fsync=off', 'full_page_writes=off'])];
  const container = await startContainer('PostgreSQL', ({ GenericContainer, Wait }) =>
    new GenericContainer(POSTGRES_IMAGE)
      .withEnvironment({ POSTGRES_PASSWORD: PASSWORD })
      .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
      .withExposedPorts(exposed(5432, options.port))
      // The image starts the server once to set it up and then a second time for good.
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2)),
  );
  const address = `${container.getHost()}:${container.getMappedPort(5432)}`;
  return withoutFaults({
    adminUrl: `postgres://postgres:${PASSWORD}@${address}/postgres`,
    stop: async () => void (await container.stop()),
  });
}

export async function startNatsContainer(
  options: Pick<ContainerOptions, 'port'> & { access: NatsAccess | undefined },
): Promise<NatsServer> {
  const config = `max_payload: 8388608\nhttp: 8222\n${options.access?.configuration ?? ''}`;
  const container = await startContainer('NATS', ({ GenericContainer, Wait }) =>
    new GenericContainer(NATS_IMAGE)
      .withCopyContentToContainer([{ content: config, target: '/etc/nats/stack.conf' }])
      .withCommand(['-js', '-c', '/etc/nats/stack.conf'])
      .withExposedPorts(exposed(4222, options.port), 8222)
      .withWaitStrategy(Wait.forLogMessage(/Server is ready/)),
  );
  return natsWithoutFaults({
    url: accessUrl(`${container.getHost()}:${container.getMappedPort(4222)}`, options.access),
    monitorUrl: `http://${container.getHost()}:${container.getMappedPort(8222)}`,
    stop: async () => void (await container.stop()),
  });
}

type Testcontainers = typeof import('testcontainers');

async function startContainer(
  server: string,
  describe: (testcontainers: Testcontainers) => GenericContainer,
): Promise<StartedTestContainer> {
  try {
    // Loaded only here: it is large, and missing where development dependencies are missing.
    return await describe(await import('testcontainers'))
      .withStartupTimeout(START_TIMEOUT_MS)
      .start();
  } catch (error) {
    throw new StackError(
      `The container of ${server} did not start; check that Docker runs, or unset TEST_STACK to use the embedded servers.`,
      error,
    );
  }
}

function exposed(container: number, host: number | undefined): number | { container: number; host: number } {
  return host === undefined ? container : { container, host };
}
