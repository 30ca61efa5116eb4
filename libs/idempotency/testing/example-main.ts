/** The example as a process. */
import 'reflect-metadata';
import { buildExample } from './example-app';

async function main({ DATABASE_URL, CARRIER_URL, LEASE_MS, PORT }: Record<string, string | undefined>): Promise<void> {
  const app = await buildExample({
    databaseUrl: DATABASE_URL!,
    carrierUrl: CARRIER_URL!,
    leaseMs: Number(LEASE_MS),
  });
  await app.listen({ port: Number(PORT), host: '127.0.0.1' });
  console.log('the example is ready');
}

void main(process.env);
