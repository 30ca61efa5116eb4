/** The process that the floor measures: an HTTP server, a pool, one named insert per request. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Pool } from 'pg';

const [databaseUrl, port] = process.argv.slice(2);
const pool = new Pool({ connectionString: databaseUrl, max: 10 });

const insert = 'insert into floor_order (id, body) values ($1, $2)';

void main();

async function main(): Promise<void> {
  await pool.query('create table if not exists floor_order (id uuid primary key, body jsonb not null)');
  createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      if (request.method !== 'POST') return void response.end();
      const id = randomUUID();
      const body = JSON.stringify(JSON.parse(text));
      pool.query({ name: 'insert', text: insert, values: [id, body] }).then(
        () => response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ id })),
        (error: Error) => response.writeHead(500).end(error.message),
      );
    });
  }).listen(Number(port), '127.0.0.1');
}
