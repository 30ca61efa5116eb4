/** One database for each service, migrated once per run of Jest and copied for each file; their time is virtual. */
import { inventoryMigrations } from '@shop/inventory/testing';
import { orderMigrations } from '@shop/order/testing';
import { paymentMigrations } from '@shop/payment/testing';
import { createDatabase, type Database, migrate } from '@shop/postgres';
import { createTestDatabase } from '@shop/testing';
import { installClock, SEARCH_PATH } from './clock';

export const services = ['order', 'inventory', 'payment'] as const;
export type Service = (typeof services)[number];
export type Databases = Record<Service, Database>;

const migrations: Record<Service, Function[]> = {
  order: orderMigrations,
  inventory: inventoryMigrations,
  payment: paymentMigrations,
};

/** The virtual time, and no wait for the disk: nothing has to survive a crash of this server. */
const session = { search_path: SEARCH_PATH, synchronous_commit: 'off' };

export async function openDatabases(): Promise<Databases> {
  const [order, inventory, payment] = await Promise.all(services.map(open));
  return { order: order!, inventory: inventory!, payment: payment! };
}

export async function closeDatabases(databases: Databases): Promise<void> {
  await Promise.all(services.map((service) => databases[service].close()));
}

/** After a run that went wrong: sagas that it left open would go on in the next run. */
export async function emptyDatabases(databases: Databases): Promise<void> {
  for (const service of services) {
    await databases[service].dataSource.query(forEachTable(`execute format('truncate %I cascade', name)`));
  }
}

async function open(service: Service): Promise<Database> {
  const { url } = await createTestDatabase((template) => prepare(template, migrations[service]), {
    templateKey: `simulation-${service}`,
  });
  const database = createDatabase({ url, applicationName: `simulation-${service}`, session });
  await database.connect();
  return database;
}

async function prepare(url: string, pending: Function[]): Promise<void> {
  const database = createDatabase({ url, applicationName: 'simulation', migrations: pending });
  await migrate(database);
  await database.dataSource.query(installClock);
  // Autovacuum would run at times that no seed decides, and so would its locks and new plans.
  await database.dataSource.query(
    forEachTable(`execute format('alter table %I set (autovacuum_enabled = false)', name)`),
  );
  await database.close();
}

const forEachTable = (command: string) => `
  do $$ declare name text; begin
    for name in select tablename from pg_tables where schemaname = 'public' and tablename <> 'migration' loop
      ${command};
    end loop;
  end $$`;
