/**
 * Invoices that are all asked for at once, from two payment services. Those of one tenant take their numbers, without a
 * gap, from one series that both services lock. They are compared with invoices of two tenants, each at a service of its
 * own, so that nobody ever waits for a series.
 */
import { randomUUID } from 'node:crypto';
import { inParallel } from '@shop/system';
import { type Asked, type AskedFigures, askedFiguresOf, measureAsking } from '../asking';
import { inTurn, pause } from '../load';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { booksOf, endsOf, list, ms, round3, type Row, times } from '../table';
import type { PlainAnswer, Tenant } from '../tenant';

const GOAL = 0.8;
/** Placing orders is not what is measured. */
const PLACED_AT_ONCE = 64;
/** On a machine that is too busy, a burst may be more than the tax service answers in time. */
const MAX_ATTEMPTS = 20;
/** The tax service is told of all invoices before the next burst. */
const LOOK_EVERY_MS = 200;

const kinds = ['two series', 'one series'] as const;
type Kind = (typeof kinds)[number];

interface Wanted {
  tenant: Tenant;
  orderId: string;
  /** The address of the payment service that gets the request. */
  at: string;
}

export const invoices: Scenario = async (options, say) => {
  const { orders, rounds, warmUp, concurrency } = options;
  const shop = await Shop.open({ options, connections: concurrency, say });
  try {
    const neighbour = await shop.neighbour();
    try {
      const replica = await shop.system.addReplica('payment');
      const addresses = [shop.system.urls.payment, replica.url];
      const half = Math.ceil(orders / 2);
      say('  placing the orders');
      const own = await confirmedOrders(shop, rounds * (orders + half) + 2 * warmUp);
      const others = await confirmedOrders(neighbour, rounds * half + warmUp);
      const take = (kind: Kind, count: number): Wanted[] =>
        Array.from({ length: count }, (_, index) => {
          const tenant = kind === 'two series' && index % 2 === 1 ? neighbour : shop;
          const orderId = (tenant === shop ? own : others).pop()!;
          return { tenant, orderId, at: addresses[index % 2]! };
        });
      const settle = () => Promise.all([untilTold(shop), untilTold(neighbour)]);
      say('  warming up');
      for (const kind of kinds) await inParallel(take(kind, warmUp), concurrency, ask);
      await settle();
      const results: Record<Kind, Asked[]> = { 'two series': [], 'one series': [] };
      for (const kind of inTurn(...kinds, rounds)) {
        results[kind].push(await measureAsking({ shop, items: take(kind, orders), concurrency, ask }));
        say(`  ${kind}: ${Math.round(results[kind].at(-1)!.requestsPerSecond)} invoices/s`);
        await settle();
      }
      const faults = [
        ...kinds.flatMap((kind) => results[kind].flatMap(oddAnswers)),
        ...(await faultsOfNumbers({ 'the first tenant': shop, 'the second tenant': neighbour })),
        ...(await shop.audit()),
      ];
      return reportOf(results, { orders, concurrency, faults });
    } finally {
      await neighbour.close();
    }
  } finally {
    await shop.close();
  }
};

/** Comes again with the same key, when it is asked to. */
async function ask({ tenant, orderId, at }: Wanted): Promise<PlainAnswer> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  for (let attempt = 1; ; attempt++) {
    const answer = await tenant.tryTo('POST', '/invoices', headers, { orderId }, { at });
    if (answer.status !== 503 || attempt === MAX_ATTEMPTS) return answer;
    await pause(Number(answer.retryAfter ?? 1) * 1_000);
  }
}

function reportOf(
  results: Record<Kind, Asked[]>,
  { orders, concurrency, faults }: { orders: number; concurrency: number; faults: string[] },
) {
  const figures = kinds.map((kind) => askedFiguresOf(results[kind]));
  const [two, one] = figures as [AskedFigures, AskedFigures];
  const ratio = round3(one.requestsPerSecond / two.requestsPerSecond);
  const met = ratio >= GOAL;
  const bursts = kinds.map((kind) => list(results[kind].map(({ requestsPerSecond }) => requestsPerSecond)));
  const rows: Row[] = [
    ['', ...kinds],
    ['invoices/s', ...figures.map(({ requestsPerSecond }) => String(Math.round(requestsPerSecond)))],
    ['  by burst', ...bursts],
    ['answers', ...figures.map(({ answers }) => endsOf(answers))],
    ['p50 / p95 / p99', ...figures.map(({ answerMs }) => times(answerMs))],
    ['CPU', ...figures.map(({ cpuMs }) => ms(cpuMs))],
    ['  payment', ...figures.map(({ cpuMsByProcess }) => ms(cpuMsByProcess['payment'] ?? 0))],
    ['  postgres', ...figures.map(({ cpuMsByProcess }) => ms(cpuMsByProcess['postgres'] ?? 0))],
    ['commits', ...figures.map(({ commits }) => commits.toFixed(2))],
    ['ratio one / two', `${ratio.toFixed(2)} (goal: at least ${GOAL.toFixed(2)}, ${met ? 'met' : 'missed'})`],
    ['books', booksOf(faults)],
  ];
  const own = Object.fromEntries(kinds.map((kind, index) => [kind, figures[index]]));
  return { rows, summary: { orders, concurrency, ratio, goal: GOAL, met, ...own }, faults };
}

/** The ids of so many orders of the tenant that can be invoiced. */
async function confirmedOrders(tenant: Tenant, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const postings = tenant.postings(count - ids.length).filter(({ repeat }) => !repeat);
    await inParallel(postings, PLACED_AT_ONCE, (posting) => tenant.post(posting));
    await tenant.untilSettled();
    const all = await tenant.clients().order.all<{ id: string; status: string }>('/orders');
    ids.splice(0, ids.length, ...all.filter(({ status }) => status === 'confirmed').map(({ id }) => id));
  }
  return ids.slice(0, count);
}

async function untilTold(tenant: Tenant): Promise<void> {
  for (;;) {
    const { text } = await tenant.tryTo('GET', '/tax-tasks?status=open&limit=1', {}, undefined, 'payment');
    if ((JSON.parse(text) as { items: unknown[] }).items.length === 0) return;
    await pause(LOOK_EVERY_MS);
  }
}

function oddAnswers({ answers }: Asked): string[] {
  const odd = Object.keys(answers).filter((answer) => answer !== '201');
  return odd.map((answer) => `${answers[answer]} requests for an invoice were answered ${answer}`);
}

/** Of each tenant the numbers of a year begin with 1, and none is missing or there twice. The tax service knows all of them. */
async function faultsOfNumbers(tenants: Record<string, Tenant>): Promise<string[]> {
  const faults: string[] = [];
  let made = 0;
  for (const [whose, tenant] of Object.entries(tenants)) {
    const numbers = await numbersOf(tenant);
    made += numbers.length;
    for (const year of new Set(numbers.map(([year]) => year))) {
      const places = numbers.filter((number) => number[0] === year).map(([, place]) => place);
      const wrong = places.sort((a, b) => a - b).findIndex((place, index) => place !== index + 1);
      if (wrong >= 0) faults.push(`the invoices of ${whose} in ${year} go wrong at number ${wrong + 1}`);
    }
  }
  const { sandbox } = tenants['the first tenant']!.clients();
  const { body } = await sandbox.get<{ transactions: unknown[] }>('/admin/tax-transactions');
  const told = body.transactions.length;
  return told === made ? faults : [...faults, `the tax service knows ${told} of ${made} invoices`];
}

async function numbersOf(tenant: Tenant): Promise<[year: string, place: number][]> {
  const all = await tenant.clients().payment.all<{ number: string; kind: string }>('/invoices');
  return all
    .filter(({ kind }) => kind === 'invoice')
    .map(({ number }) => {
      const [, year = '', place = ''] = number.split('-');
      return [year, Number(place)];
    });
}
