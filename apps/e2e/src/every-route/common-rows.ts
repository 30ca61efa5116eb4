/** The mutating routes that every service has: dead letters, API keys, stored answers and erasure. */
import { createHash, randomUUID } from 'node:crypto';
import type { Service } from './attempt';
import type { Row } from './row';
import type { World } from './world';

/** The ids of messages that are read and lead to nothing begin with it. */
export const UNKNOWN_MESSAGE = 'unknown-';

export const commonRows = (service: Service): Row[] => [
  letterRow(service, 'replay', 'replayed'),
  letterRow(service, 'discard', 'discarded'),
  {
    service,
    route: 'POST /dead-letter-batches',
    attempt: async (world) => {
      const type = world.name();
      await putLetter(world, service, { content: unknownMessage(), type });
      const made = `select count(*) from bulk_act where filter ->> 'type' = $1`;
      const filter = { state: 'open', type };
      const body = { act: 'discard', reason: 'a test', filter, expected: 1, ratePerSecond: 200 };
      return { path: '/dead-letter-batches', body, done: () => world.number(service, made, type) };
    },
  },
  {
    service,
    route: 'DELETE /dead-letter-batches/{id}',
    attempt: async (world) => {
      // Somebody works on it, and does not come to an end.
      const [batch] = await world.rows<{ id: string }>(
        service,
        `insert into bulk_act (id, kind, tenant, act, filter, made_by, rate_per_second, count, lease_token, leased_until)
         values (gen_random_uuid(), 'dead_letter', 'demo', 'discard', '{"state":"open","mailbox":"any"}', 'olga', 1, 5,
                 gen_random_uuid(), now() + interval '1 hour')
         returning id`,
      );
      const stopped = `select count(*) from bulk_act where id = $1 and status = 'stopped'`;
      const path = `/dead-letter-batches/${batch!.id}`;
      return { path, done: () => world.number(service, stopped, batch!.id) };
    },
  },
  {
    service,
    route: 'PUT /api-keys/{id}',
    attempt: async (world) => {
      const id = world.name();
      const sha256 = createHash('sha256').update(id).digest('hex');
      const done = () => world.number(service, 'select count(*) from api_key where id = $1', id);
      return { path: `/api-keys/${id}`, body: { sha256, principal: 'carl', roles: ['customer'] }, done };
    },
  },
  {
    service,
    route: 'DELETE /api-keys/{id}',
    attempt: async (world) => {
      const path = `/api-keys/${world.name()}`;
      const sha256 = createHash('sha256').update(path).digest('hex');
      await world.prepare(service, 'PUT', path, { sha256, principal: 'carl', roles: ['customer'] });
      // The first one who revoked it stays its revoker: the time is written once.
      const revoked = 'select count(revoked_at) from api_key where sha256 = $1';
      return { path, done: () => world.number(service, revoked, sha256) };
    },
  },
  {
    service,
    route: 'DELETE /idempotency-keys',
    attempt: async (world) => {
      const { apiKey } = world.tenant();
      const key = randomUUID();
      // That there is no such letter is an answer which is kept.
      const request = { path: `/dead-letters/${randomUUID()}/discard`, body: { reason: 'x' }, apiKey };
      await world.send(service, 'POST', { ...request, headers: { 'idempotency-key': key } });
      const done = async () => {
        const { text } = await world.send(service, 'GET', { path: `/idempotency-keys/${key}`, apiKey });
        return text.split('"erased"').length - 1;
      };
      return { path: '/idempotency-keys', apiKey, done };
    },
  },
  {
    service,
    route: 'POST /erasures/customer',
    moving: ['erased'],
    attempt: async (world) => {
      const { tenant, apiKey } = world.tenant();
      const customerId = world.name();
      const done = await nameOnALetter(world, service, tenant, customerId);
      return { path: '/erasures/customer', body: { customerId }, apiKey, done };
    },
  },
  {
    service,
    route: 'POST /erasures/tenant',
    moving: ['erased'],
    attempt: async (world) => {
      const { tenant } = world.tenant();
      const done = await nameOnALetter(world, service, tenant, world.name());
      return { path: '/erasures/tenant', body: { tenant }, done };
    },
  },
];

const letterRow = (service: Service, act: string, past: string): Row => ({
  service,
  route: `POST /dead-letters/{id}/${act}`,
  attempt: async (world) => {
    const id = await putLetter(world, service, { content: unknownMessage() });
    const acts = `select count(*) from dead_letter, jsonb_array_elements(acts) a where id = $1 and a->>'act' = '${past}'`;
    return {
      path: `/dead-letters/${id}/${act}`,
      body: { reason: 'mended' },
      done: () => world.number(service, acts, id),
    };
  },
});

/** Returns whether the name has been erased: 1 if it has. */
async function nameOnALetter(world: World, service: Service, tenant: string, name: string) {
  await putLetter(world, service, { tenant, content: JSON.stringify({ customerId: name }) });
  const left = `select count(*) from dead_letter where position($1 in convert_from(content, 'UTF8')) > 0`;
  return async () => 1 - (await world.number(service, left, name));
}

interface Letter {
  content: string;
  tenant?: string;
  type?: string;
}

/** Puts away a message, as the service does when it gives up. */
async function putLetter(world: World, service: Service, { content, tenant = 'demo', type }: Letter): Promise<string> {
  const id = randomUUID();
  const mailbox = service === 'order' ? 'reply.order' : `cmd.${service}`;
  await world.number(
    service,
    `insert into dead_letter (id, mailbox, message_id, tenant, readable, content, size, deliveries, killed, last_error,
                              state, first_seen_at, type)
     values ($1::uuid, $2, $1::text, $3, true, convert_to($4, 'UTF8'), octet_length($4), 1, false, 'Error: out of luck',
             'open', now(), $5)
     returning 1`,
    id,
    mailbox,
    tenant,
    content,
    type ?? null,
  );
  return id;
}

const unknownMessage = (): string =>
  JSON.stringify({
    specversion: '1.0',
    id: `${UNKNOWN_MESSAGE}${randomUUID()}`,
    type: 'any.unknown.v1',
    source: 'order',
    subject: randomUUID(),
    replyto: 'reply.order',
    datacontenttype: 'application/json',
    data: {},
  });
