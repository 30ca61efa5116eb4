/**
 * A flash sale over HTTP: reservations of one piece of one product, compared with the same reservations over the whole
 * catalogue; and the sale of a few pieces that are gone at once, so that nearly everybody is refused.
 */
import { randomUUID } from 'node:crypto';
import { inParallel } from '@shop/system';
import { type Asked, type AskedFigures, askedFiguresOf, measureAsking } from '../asking';
import { inTurn } from '../load';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { booksOf, endsOf, list, ms, round3, type Row, times } from '../table';
import type { PlainAnswer } from '../tenant';

const GOAL = 0.8;
/** What is on sale when there is not enough. */
const FEW = 100;
/** Longer than a round. */
const TTL_SECONDS = 3_600;

const kinds = ['uniform', 'flash', 'sold out'] as const;
type Kind = (typeof kinds)[number];

export const flashReservations: Scenario = async (options, say) => {
  const { orders, concurrency, rounds } = options;
  const shop = await Shop.open({ options, connections: concurrency, say });
  try {
    // Not the first ones, which are sold out.
    const inStock = shop.products.filter(({ onHand }) => onHand > 0).map(({ sku }) => sku);
    const onSale = inStock.at(-1)!;
    const made: string[] = [];
    const reserve = async (sku: string): Promise<PlainAnswer> => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
      const body = { lines: [{ sku, quantity: 1 }], ttlSeconds: TTL_SECONDS };
      const answer = await shop.tryTo('POST', '/reservations', headers, body, 'inventory');
      if (answer.status === 201) made.push((JSON.parse(answer.text) as { id: string }).id);
      return answer;
    };
    const measure = async (kind: Kind, few: string): Promise<Asked> => {
      const skus = { uniform: inStock, flash: [onSale], 'sold out': [few] }[kind];
      const items = Array.from({ length: orders }, (_, index) => skus[index % skus.length]!);
      const asked = await measureAsking({ shop, items, concurrency, ask: reserve });
      await release(shop, made.splice(0), concurrency);
      return asked;
    };
    say('  warming up');
    await inParallel(
      Array.from({ length: options.warmUp }, (_, index) => inStock[index % inStock.length]!),
      concurrency,
      reserve,
    );
    await release(shop, made.splice(0), concurrency);
    const results: Record<Kind, Asked[]> = { uniform: [], flash: [], 'sold out': [] };
    const faults: string[] = [];
    for (const kind of inTurn('uniform' as const, 'flash' as const, rounds)) {
      results[kind].push(await measure(kind, ''));
      say(`  ${kind}: ${Math.round(results[kind].at(-1)!.requestsPerSecond)} reservations/s`);
    }
    for (let round = 0; round < rounds; round++) {
      const few = `few-${round}`;
      await stockUp(shop, few, FEW);
      const asked = await measure('sold out', few);
      results['sold out'].push(asked);
      faults.push(...faultsOfSale(asked, Math.min(FEW, orders)));
      await stockUp(shop, few, 0);
    }
    faults.push(...(await shop.audit()));
    const figures = kinds.map((kind) => askedFiguresOf(results[kind]));
    const [uniform, flash] = figures as [AskedFigures, AskedFigures];
    const ratio = round3(flash.requestsPerSecond / uniform.requestsPerSecond);
    return {
      rows: [
        ['', ...kinds],
        ...rowsOf(figures),
        ['  by burst', ...kinds.map((kind) => list(results[kind].map(({ requestsPerSecond }) => requestsPerSecond)))],
        [
          'ratio flash / uniform',
          `${ratio.toFixed(2)} (goal: at least ${GOAL.toFixed(2)}, ${ratio >= GOAL ? 'met' : 'missed'})`,
        ],
        ['books', booksOf(faults)],
      ],
      summary: {
        orders,
        concurrency,
        ratio,
        goal: GOAL,
        met: ratio >= GOAL,
        ...Object.fromEntries(kinds.map((kind, index) => [kind, figures[index]])),
      },
      faults,
    };
  } finally {
    await shop.close();
  }
};

function rowsOf(figures: readonly AskedFigures[]): Row[] {
  const counted = (value: number | undefined): string => value?.toFixed(2) ?? '';
  return [
    ['reservations/s', ...figures.map(({ requestsPerSecond }) => String(Math.round(requestsPerSecond)))],
    ['answers', ...figures.map(({ answers }) => endsOf(answers))],
    ['p50 / p95 / p99', ...figures.map(({ answerMs }) => times(answerMs))],
    ['CPU', ...figures.map(({ cpuMs }) => ms(cpuMs))],
    ['  inventory', ...figures.map(({ cpuMsByProcess }) => ms(cpuMsByProcess['inventory'] ?? 0))],
    ['  postgres', ...figures.map(({ cpuMsByProcess }) => ms(cpuMsByProcess['postgres'] ?? 0))],
    ['statements', ...figures.map(({ statements }) => counted(statements))],
    ['round trips', ...figures.map(({ roundTrips }) => counted(roundTrips))],
    ['commits', ...figures.map(({ commits }) => commits.toFixed(2))],
    ['WAL', ...figures.map(({ walBytes }) => `${Math.round(walBytes)} bytes`)],
  ];
}

/** So many get a piece as there are pieces. */
function faultsOfSale({ answers }: Asked, pieces: number): string[] {
  const got = answers['201'] ?? 0;
  const odd = Object.keys(answers).filter((answer) => answer !== '201' && answer !== '409 insufficient_stock');
  return [
    ...(got === pieces ? [] : [`${got} clients have reserved one of ${pieces} pieces`]),
    ...odd.map((answer) => `${answers[answer]} clients were answered ${answer}`),
  ];
}

async function release(shop: Shop, ids: readonly string[], concurrency: number): Promise<void> {
  await inParallel(ids, concurrency, async (id) => {
    const { status, text } = await shop.tryTo('DELETE', `/reservations/${id}`, {}, undefined, 'inventory');
    if (status !== 204) throw new Error(`DELETE /reservations/${id} answered ${status}: ${text}`);
  });
}

/** The audit expects nothing of a product that was not there at the beginning. */
async function stockUp(shop: Shop, sku: string, onHand: number): Promise<void> {
  const { inventory } = shop.clients();
  const { status, text } = await inventory.put(`/stock/${sku}`, { onHand }, onHand > 0 ? {} : { 'if-match': '*' });
  if (status > 201) throw new Error(`PUT /stock/${sku} answered ${status}: ${text}`);
}
