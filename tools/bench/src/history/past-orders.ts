/**
 * The SQL of finished orders of the past.
 *
 * Every order follows only from its number, so the three databases get rows that fit together without asking each
 * other. A chunk of orders is first written to a temporary table, and from there to the service's own tables.
 */
export const services = ['order', 'inventory', 'payment'] as const;
export type Service = (typeof services)[number];

export const past = {
  prepare: [
    'create temporary table past_product (position int primary key, sku text not null, price bigint not null)',
    `create temporary table past_order (
       n bigint, id uuid, at timestamptz, items json, lines jsonb, amount bigint, hash bytea, payment_id text)`,
  ],

  insertProducts: `
    insert into past_product
    select position, sku, price from jsonb_to_recordset($1::jsonb) as p (position int, sku text, price bigint)`,

  // The orders $1 to $2 of $3, spread evenly over the two days that end at $5, so no answer of theirs has expired.
  // The time is a parameter, because each database has a clock of its own.
  // Like the services' own: ids of version 7 in order of time, one to three lines of one to three pieces.
  insertOrders: `
    insert into past_order
    select n, id, at, items, lines, amount, sha256(id::text::bytea),
           'pmt_' || left(translate(encode(sha256((id || '/charge/do')::bytea), 'base64'), '+/', '-_'), 27)
    from generate_series($1::bigint, $2::bigint) as n
    cross join lateral (
      select $5::timestamptz - ($3::bigint - n) * (interval '2 days' / $3::bigint)
    ) as time (at)
    cross join lateral (
      select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
              || '7' || substr(md5('past ' || n), 1, 3) || '8' || substr(md5('past ' || n), 4, 15))::uuid
    ) as name (id)
    cross join lateral (
      select json_agg(json_build_object('sku', sku, 'quantity', quantity,
                                        'unitPrice', json_build_object('amount', price, 'currency', 'EUR'))),
             jsonb_agg(jsonb_build_object('sku', sku, 'quantity', quantity)),
             sum(price * quantity)
      from generate_series(0, least(n % 3, $4::bigint - 1)) as line
      cross join lateral (select 1 + (n + line) % 3) as pieces (quantity)
      join past_product on position = (n * 7919 + line) % $4::bigint
    ) as content (items, lines, amount)`,
};

/** Scopes and keys of ledger rows are those of the services' claims; a client's key is random, as most are. */
export const statementsOf: Record<Service, readonly string[]> = {
  order: [
    `insert into orders (tenant, id, customer_id, items, total_amount, total_currency, status, request_hash, placed_as,
                         saga_id, version, created_at, updated_at)
     select 'demo', id, 'customer-' || n % 100, items, amount, 'EUR', 'confirmed', hash,
            left(encode(sha256(('demo|developer|POST /orders' || e'\\n' || md5('key ' || id)::uuid)::bytea), 'hex'), 32)::uuid,
            id, 2, at, at + interval '52 ms'
     from past_order order by n`,

    `insert into saga (id, definition, definition_version, status, step, action, attempt, data, traceparent, version,
                       created_at, updated_at)
     select id, 'place-order', 1, 'completed', 'confirm', 'do', 1,
            jsonb_build_object('tenant', 'demo', 'orderId', id, 'lines', lines, 'amount', amount, 'currency', 'EUR',
                               'source', 'tok_ok'),
            '00-' || md5(id::text) || '-' || left(md5(n::text), 16) || '-01', 4, at, at + interval '52 ms'
     from past_order order by n`,

    `insert into saga_history (saga_id, seq, at, event, step, from_position, to_position, attempt, detail)
     select id, seq, at + after_ms * interval '1 ms', event, step, from_position, to_position, 1,
            case when step = 'charge' then jsonb_build_object('paymentId', payment_id) end
     from past_order
     cross join (values
       (1, 0, 'started', 'reserve', 'new', 'reserve.do'),
       (2, 23, 'do.succeeded', 'reserve', 'reserve.do', 'charge.do'),
       (3, 40, 'do.succeeded', 'charge', 'charge.do', 'confirm.do'),
       (4, 52, 'do.succeeded', 'confirm', 'confirm.do', 'completed')
     ) as moves (seq, after_ms, event, step, from_position, to_position)
     order by n, seq`,

    `insert into ledger (scope, key, fingerprint, status, answer_status, answer_headers, answer_body, created_at,
                         completed_at, expires_at)
     select 'demo|developer|POST /orders', md5('key ' || id)::uuid::text, hash, 'completed', 201,
            jsonb_build_object('location', '/orders/' || id, 'etag', '"1"'),
            json_build_object('id', id, 'customerId', 'customer-' || n % 100, 'items', items,
                              'total', json_build_object('amount', amount, 'currency', 'EUR'), 'status', 'pending',
                              'createdAt', at, 'updatedAt', at)::text,
            at, at, at + interval '72 hours'
     from past_order order by n`,
  ],

  inventory: [
    `insert into reservation (id, tenant, lines, status, created_at, updated_at)
     select id, 'demo', lines, 'confirmed', at + interval '10 ms', at + interval '45 ms' from past_order order by n`,

    `insert into stock_movement (tenant, sku, delta, reason, cause, at)
     select 'demo', line ->> 'sku', -(line ->> 'quantity')::bigint, 'sold', id::text, at + interval '45 ms'
     from past_order cross join jsonb_array_elements(lines) as line order by n`,

    `update stock
     set on_hand = on_hand - pieces, version = version + 2 * times, updated_at = now()
     from (
       select line ->> 'sku' as sold, sum((line ->> 'quantity')::bigint) as pieces, count(*) as times
       from past_order cross join jsonb_array_elements(lines) as line group by 1
     ) as sales
     where tenant = 'demo' and sku = sold`,

    `insert into ledger (scope, key, fingerprint, status, answer_status, answer_body, created_at, completed_at, expires_at)
     select 'inventory', id || command, hash, 'completed', 200, '{"outcome":"succeeded"}', done, done,
            done + interval '72 hours'
     from past_order
     cross join (values ('/reserve/do', interval '10 ms'), ('/confirm/do', interval '45 ms')) as commands (command, later)
     cross join lateral (select at + later) as time (done)
     order by n, command desc`,
  ],

  payment: [
    `insert into payment (tenant, id, order_id, amount, currency, source, status, provider_reference, version,
                          created_at, updated_at)
     select 'demo', payment_id, id, amount, 'EUR', 'tok_ok', 'succeeded',
            'pi_sim_' || left(encode(sha256(payment_id::bytea), 'hex'), 24), 2,
            at + interval '30 ms', at + interval '35 ms'
     from past_order order by n`,

    `insert into ledger (scope, key, fingerprint, status, answer_status, answer_body, created_at, completed_at, expires_at)
     select 'payment', id || '/charge/do', hash, 'completed', 200,
            json_build_object('outcome', 'succeeded', 'result', json_build_object('paymentId', payment_id))::text,
            at + interval '30 ms', at + interval '35 ms', at + interval '35 ms' + interval '72 hours'
     from past_order order by n`,
  ],
};
