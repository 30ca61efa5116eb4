// PostgreSQL and NATS for one test file: a database of its own on servers that all files share.
import { asAdmin, keepDatabase } from './admin';
import { testStack } from './stack-urls';
import { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './test-database';

export { testStack } from './stack-urls';
export type { TestStackUrls } from './stack-urls';

/** The first file waits for both servers; on a new machine it also waits until nats-server is fetched. */
const START_TIMEOUT_MS = 240_000;

export interface UseStackOptions extends TestDatabaseOptions {
  /** Prepares the database; must have closed its connections when it resolves. */
  migrate?: (url: string) => Promise<void>;
}

/** Filled before the first test runs; reading it earlier throws. */
export interface TestStack {
  readonly databaseUrl: string;
  readonly databaseName: string;
  readonly adminUrl: string;
  readonly natsUrl: string;
  /** What no service may do in its database, such as changing a table. */
  administer(statement: string): Promise<void>;
}

/**
 * To be called at the top of a test file or of a describe. The database is dropped at the end of the run, when nobody is
 * connected any more, unless a test of the file failed.
 */
export function useStack(options: UseStackOptions = {}): TestStack {
  let database: TestDatabase | undefined;
  let urls: { adminUrl: string; natsUrl: string } | undefined;
  beforeAll(async () => {
    urls = await testStack();
    database = await createTestDatabase(options.migrate, options);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    if (database === undefined || urls === undefined || !someTestFailed()) return;
    await keepDatabase(urls.adminUrl, database.name);
    process.stderr.write(`A test failed; the database ${database.name} is kept if its server stays.\n`);
  });
  return {
    get databaseUrl() {
      return filled(database).url;
    },
    get databaseName() {
      return filled(database).name;
    },
    get adminUrl() {
      return filled(urls).adminUrl;
    },
    get natsUrl() {
      return filled(urls).natsUrl;
    },
    async administer(statement) {
      await asAdmin(filled(database).url, (client) => client.query(statement));
    },
  };
}

function filled<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The test stack is there only once the tests run; read it inside a test.');
  return value;
}

interface Block {
  children: (Block | { type: 'test'; errors: unknown[] })[];
  type: 'describeBlock';
}

// Jest does not tell a test file its own results; its runner keeps them under a symbol of this name. If the symbol
// were renamed, we would see no failure here and keep no database. The tests themselves would not be affected.
function someTestFailed(): boolean {
  const symbol = Object.getOwnPropertySymbols(globalThis).find(
    ({ description }) => description === 'JEST_STATE_SYMBOL',
  );
  if (symbol === undefined) return false;
  const state = (globalThis as unknown as Record<symbol, { rootDescribeBlock?: Block }>)[symbol];
  return state?.rootDescribeBlock !== undefined && hasFailure(state.rootDescribeBlock);
}

function hasFailure(block: Block): boolean {
  return block.children.some((child) => (child.type === 'test' ? child.errors.length > 0 : hasFailure(child)));
}
