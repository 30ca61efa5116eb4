/**
 * POST with an Idempotency-Key compared with PUT to an id of the client: new orders, the same orders again after they
 * have ended, and new orders that are sent twice at the same time. Both are safe to repeat; they pay for it differently.
 */
import { randomUUID } from 'node:crypto';
import type { Posting } from '@shop/system';
import { type Asked, type AskedFigures, askedFiguresOf, measureAsking } from '../asking';
import { inTurn } from '../load';
import { rowCounts, type RowCounts, rowsPerOrder } from '../row-counts';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { booksOf, endsOf, ms, type Row, times } from '../table';
import type { PlainAnswer } from '../tenant';

const kinds = ['post', 'put'] as const;
type Kind = (typeof kinds)[number];
const parts = ['new', 'again', 'twice at once'] as const;
type Part = (typeof parts)[number];

interface Wish {
  id: string;
  posting: Posting;
}

type Results<T> = Record<Kind, Record<Part, T[]>>;

const JSON_TYPE = { 'content-type': 'application/json' };

export const putVsPost: Scenario = async (options, say) => {
  const { orders, concurrency, rounds, provider } = options;
  // Two requests of each client may be on their way.
  const shop = await Shop.open({ options, connections: 2 * concurrency, say });
  try {
    say('  warming up');
    await shop.warmUp();
    const ask: Record<Kind, (wish: Wish) => Promise<PlainAnswer>> = {
      post: ({ posting }) => shop.tryToPlace(posting),
      put: ({ id, posting }) => shop.tryTo('PUT', `/orders/${id}`, JSON_TYPE, posting.body),
    };
    const wishes = (count: number): Wish[] =>
      shop
        .postings(count)
        .filter(({ repeat }) => !repeat)
        .map((posting) => ({ id: randomUUID(), posting }));
    const measure = (kind: Kind, items: Wish[], askOne = ask[kind]): Promise<Asked> =>
      measureAsking({ shop, items, concurrency, ask: askOne, afterwards: () => shop.untilSettled() });
    // The slower of the two answers counts, and its kind: one of them is the repeat.
    const twice = (kind: Kind) => async (wish: Wish) => {
      const [one, other] = await Promise.all([ask[kind](wish), ask[kind](wish)]);
      return one.isReplay || one.status !== 201 ? one : other;
    };
    const results: Results<Asked> = { post: empty(), put: empty() };
    const rows: Record<Kind, RowCounts[]> = { post: [], put: [] };
    for (const kind of inTurn('post' as const, 'put' as const, rounds)) {
      const fresh = wishes(orders);
      const before = await rowCounts(shop.system.stack);
      results[kind]['new'].push(await measure(kind, fresh));
      rows[kind].push(rowsPerOrder(before, await rowCounts(shop.system.stack), fresh.length));
      results[kind]['again'].push(await measure(kind, fresh));
      results[kind]['twice at once'].push(await measure(kind, wishes(orders), twice(kind)));
      say(`  ${kind}: ${Math.round(results[kind]['new'].at(-1)!.requestsPerSecond)} new orders/s`);
    }
    const faults = [...(await shop.audit()), ...faultsOf(results)];
    const figures = Object.fromEntries(
      kinds.map((kind) => [kind, Object.fromEntries(parts.map((part) => [part, askedFiguresOf(results[kind][part])]))]),
    ) as Record<Kind, Record<Part, AskedFigures>>;
    return {
      rows: [
        ['', 'POST with a key', 'PUT to an id'],
        ...parts.flatMap((part) =>
          rowsOf(
            part,
            kinds.map((kind) => figures[kind][part]),
          ),
        ),
        ...Object.keys(rows.post[0]!).map((table): Row => [
          `rows of ${table} for a new order`,
          ...kinds.map((kind) => rows[kind].at(-1)![table]!.toFixed(2)),
        ]),
        ['provider', provider],
        ['books', booksOf(faults)],
      ],
      summary: { provider, orders, concurrency, ...figures, rows: { post: rows.post.at(-1), put: rows.put.at(-1) } },
      faults,
    };
  } finally {
    await shop.close();
  }
};

const empty = (): Record<Part, Asked[]> => ({ new: [], again: [], 'twice at once': [] });

function rowsOf(part: Part, columns: readonly AskedFigures[]): Row[] {
  const counted = (value: number | undefined): string => value?.toFixed(2) ?? '';
  return [
    [`${part}: a second`, ...columns.map(({ requestsPerSecond }) => String(Math.round(requestsPerSecond)))],
    ['  answers', ...columns.map(({ answers }) => endsOf(answers))],
    ['  p50 / p95 / p99', ...columns.map(({ answerMs }) => times(answerMs))],
    ['  CPU', ...columns.map(({ cpuMs }) => ms(cpuMs))],
    ['    order', ...columns.map(({ cpuMsByProcess }) => ms(cpuMsByProcess['order'] ?? 0))],
    ['    postgres', ...columns.map(({ cpuMsByProcess }) => ms(cpuMsByProcess['postgres'] ?? 0))],
    ['  statements', ...columns.map(({ statements }) => counted(statements))],
    ['  round trips', ...columns.map(({ roundTrips }) => counted(roundTrips))],
    ['  commits', ...columns.map(({ commits }) => commits.toFixed(2))],
    ['  WAL', ...columns.map(({ walBytes }) => `${Math.round(walBytes)} bytes`)],
  ];
}

/** A repeat has to get the first answer, or the order as it is now. */
function faultsOf(results: Results<Asked>): string[] {
  const right: Record<Kind, Record<Part, string[]>> = {
    post: { new: ['201'], again: ['201 replayed'], 'twice at once': ['201 replayed'] },
    put: { new: ['201'], again: ['200'], 'twice at once': ['200'] },
  };
  return kinds.flatMap((kind) =>
    parts.flatMap((part) =>
      results[kind][part]
        .flatMap(({ answers }) => Object.entries(answers))
        .filter(([answer]) => !right[kind][part].includes(answer))
        .map(([answer, count]) => `${kind}, ${part}: ${count} answers were ${answer}`),
    ),
  );
}
