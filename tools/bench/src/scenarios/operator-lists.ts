/**
 * What operators ask about sagas, each question by itself, on tables with a long history in which every tenth saga is
 * parked: how long the answers take.
 */
import { Client } from 'pg';
import { type AskedFigures, askedFiguresOf, measureAsking } from '../asking';
import { fillHistory } from '../history/fill';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { booksOf, endsOf, ms, type Row, times } from '../table';

const GOAL_MS = 100;
/** As some operators who look at the same time. */
const OPERATORS = 2;
const PARKED = `
  update saga set status = 'parked', step = steps[1 + n % 3], action = 'undo', parked_reason = reasons[1 + n % 4],
                  reason = 'cancelled_by_client'
  from (select id as picked, row_number() over () as n from saga where status = 'completed' and random() < 0.1) as tenth,
       (values (array['reserve', 'charge', 'confirm'], array['undo_refused', 'undo_unanswered', 'rare', 'undo_failed'])) as names (steps, reasons)
  where id = picked`;

interface Sample {
  saga: string;
  payment: string;
  /** As the provider calls the charge. */
  reference: string;
  key: string;
}

/** The questions, each about one of the sagas of the sample. */
const questions: Record<string, (sample: Sample) => string> = {
  'open ones': () => '/sagas',
  'parked ones': () => '/sagas?status=parked',
  'parked ones, far behind': ({ saga }) => `/sagas?status=parked&cursor=${saga}`,
  'parked ones of a step': ({ saga }) => `/sagas?status=parked&step=charge&cursor=${saga}`,
  'all of them': () => '/sagas?status=all',
  'all of them, far behind': ({ saga }) => `/sagas?status=all&cursor=${saga}`,
  'ended ones of a step that none has': () => '/sagas?status=completed&step=none',
  'ended ones, a day old': () => '/sagas?status=completed&olderThanSeconds=86400',
  'by saga': ({ saga }) => `/sagas?q=${saga}`,
  'by payment': ({ payment }) => `/sagas?q=${payment}`,
  'by reference': ({ reference }) => `/sagas?q=${reference}`,
  'by idempotency key': ({ key }) => `/sagas?q=${key}`,
  'by customer with many': ({ saga }) => `/sagas?q=customer-${Number.parseInt(saga.slice(-2), 16) % 100}`,
  'by customer without any': ({ saga }) => `/sagas?q=nobody-${saga}`,
  'groups of parked ones': () => '/sagas/groups?status=parked',
  census: () => '/sagas/census',
  'one saga': ({ saga }) => `/sagas/${saga}`,
  'its outlook': ({ saga }) => `/sagas/${saga}/outlook`,
};

export const operatorLists: Scenario = async (options, say) => {
  const shop = await Shop.open({ options, connections: OPERATORS, say });
  const { stack } = shop.system;
  try {
    await fillHistory({ stack, orders: options.history, products: shop.products, say });
    const samples = await parkSome(stack.databaseUrl('order'), options.orders);
    const ask = (path: string) => shop.tryTo('GET', path);
    const asked: [string, AskedFigures][] = [];
    const faults: string[] = [];
    for (const [name, questionFor] of Object.entries(questions)) {
      const items = samples.map(questionFor);
      await measureAsking({ shop, items: items.slice(0, options.warmUp), concurrency: OPERATORS, ask });
      const result = askedFiguresOf([await measureAsking({ shop, items, concurrency: OPERATORS, ask })]);
      say(`  ${name}: ${times(result.answerMs)}`);
      asked.push([name, result]);
      const odd = Object.keys(result.answers).filter((kind) => kind !== '200');
      if (odd.length > 0) faults.push(`${name} was answered ${endsOf(result.answers)}`);
    }
    const slow = asked.filter(([, { answerMs }]) => answerMs.p99 > GOAL_MS).map(([name]) => name);
    const rows: Row[] = [
      ['', 'p50 / p95 / p99', 'CPU'],
      ...asked.map(([name, { answerMs, cpuMs }]): Row => [name, times(answerMs), ms(cpuMs)]),
      ['goal', `p99 at most ${GOAL_MS} ms: ${slow.length === 0 ? 'met' : `missed by ${slow.join(', ')}`}`],
      ['history', `${options.history} sagas, a tenth of them parked`],
      ['books', booksOf(faults)],
    ];
    const figures = Object.fromEntries(asked.map(([name, { answerMs }]) => [name, answerMs]));
    return { rows, summary: { history: options.history, goalMs: GOAL_MS, met: slow.length === 0, figures }, faults };
  } finally {
    await shop.close();
  }
};

/** Parks every tenth saga of the past, and picks some of all. */
async function parkSome(databaseUrl: string, count: number): Promise<Sample[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(PARKED);
    await client.query('vacuum analyze saga');
    const { rows } = await client.query<Sample>(
      `select saga, key, payment, 'pi_sim_' || left(encode(sha256(payment::bytea), 'hex'), 24) as reference
       from (select id as saga, md5('key ' || id)::uuid::text as key,
                    'pmt_' || left(translate(encode(sha256((id || '/charge/do')::bytea), 'base64'), '+/', '-_'), 27) as payment
             from saga where created_at < now() - interval '1 hour' order by random() limit $1) as picked`,
      [count],
    );
    return rows;
  } finally {
    await client.end();
  }
}
