/** One database for each service, migrated once per run of Jest and copied for each file; their time is virtual. */
import { fulfilmentMigrations } from '@shop/fulfilment/testing';
import { inventoryMigrations } from '@shop/inventory/testing';
import { orderMigrations } from '@shop/order/testing';
import { paymentMigrations } from '@shop/payment/testing';
import { createDatabase, type Database, migrate } from '@shop/postgres';
import { createTestDatabase } from '@shop/testing';
import { installClock, SEARCH_PATH } from './clock';
import { installRowWitness } from './row-witness';
import { type Service, services } from './service';

export type Databases = Record<Service, Database>;

const migrations: Record<Service, Function[]> = {
  order: orderMigrations,
  inventory: inventoryMigrations,
  payment: paymentMigrations,
  fulfilment: fulfilmentMigrations,
};

/** The virtual time, and no wait for the disk: nothing has to survive a crash of this server. */
const session = { search_path: SEARCH_PATH, synchronous_commit: 'off' };

export async function openDatabases(): Promise<Databases> {
  const [order, inventory, payment, fulfilment] = await Promise.all(services.map(open));
  return { order: order!, inventory: inventory!, payment: payment!, fulfilment: fulfilment! };
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
  const { url } = await createTestDatabase((template) => prepare(template, service), {
    templateKey: `simulation-${service}`,
  });
  const database = createDatabase({ url, applicationName: `simulation-${service}`, session });
  await database.connect();
  return database;
}

async function prepare(url: string, service: Service): Promise<void> {
  const database = createDatabase({ url, applicationName: 'simulation', migrations: migrations[service] });
  await migrate(database);
  await database.dataSource.query(installClock);
  const witness = installRowWitness(service);
  if (witness) await database.dataSource.query(witness);
  // Autovacuum would run at times that no seed decides, and so would its locks and new plans.
  await database.dataSource.query(
    forEachTable(`execute format('alter table %I set (autovacuum_enabled = false)', name)`),
  );
  await database.close();
}

const forEachTable = (command: string) => `
  do $$ declare name text; begin
    for name in select tablename from pg_tables where schemaname = 'public' and tablename not in ('migration', 'birth') loop
      ${command};
    end loop;
  end $$`;
