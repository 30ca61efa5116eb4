/** Looks through every row of every table of every service, and through all that the streams of the broker hold. */
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { natsLogin } from '@shop/stack';
import { ownServices, type ServiceName } from '@shop/system';
import { Client } from 'pg';
import type { Shop } from './shop';

/** The tables in which some row has one of these texts, as `payment.ledger`. */
export async function tablesWith(shop: Shop, ...texts: string[]): Promise<string[]> {
  // Bytes are shown in hexadecimal, so a text within them is looked for in hexadecimal too.
  const forms = texts.flatMap((text) => [text, Buffer.from(text).toString('hex')]);
  return tablesFor(shop, async (client, table) => {
    const row = await client.query(
      `select from ${table} t where exists (select from unnest($1::text[]) as f (form) where position(form in t::text) > 0) limit 1`,
      [forms],
    );
    return row.rowCount! > 0;
  });
}

export function emptyTables(shop: Shop): Promise<string[]> {
  return tablesFor(shop, async (client, table) => (await client.query(`select from ${table} limit 1`)).rowCount === 0);
}

/** Runs one statement in the database of a service. */
export async function queryIn<Row extends object>(shop: Shop, name: ServiceName, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: shop.system.stack.databaseUrl(name) });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Every message of every stream, as text. */
export async function streamContents(shop: Shop): Promise<string> {
  const { servers, user, pass } = natsLogin(shop.system.stack.natsUrl);
  const nats = await connect({ servers, user, pass });
  try {
    const { streams } = await jetstreamManager(nats);
    let text = '';
    for await (const { config, state } of streams.list()) {
      for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
        const message = await streams.getMessage(config.name, { seq });
        if (message) text += `${message.subject} ${new TextDecoder().decode(message.data)}\n`;
      }
    }
    return text;
  } finally {
    await nats.close();
  }
}

async function tablesFor(shop: Shop, fits: (client: Client, table: string) => Promise<boolean>): Promise<string[]> {
  const found: string[] = [];
  for (const name of ownServices) {
    const client = new Client({ connectionString: shop.system.stack.databaseUrl(name) });
    await client.connect();
    try {
      const { rows } = await client.query<{ table: string }>(
        `select quote_ident(tablename) as table from pg_tables where schemaname = 'public' order by 1`,
      );
      for (const { table } of rows) if (await fits(client, table)) found.push(`${name}.${table}`);
    } finally {
      await client.end();
    }
  }
  return found;
}
