/** Every route that takes a body is sent its own example with each part replaced by something else. */
import { randomUUID } from 'node:crypto';
import { ApiClient, catalogue, DEVELOPMENT_KEY, inParallel, type ServiceName } from '@shop/system';
import { type Order, Shop } from './shop';

const TIMEOUT_MS = 120_000;
const CONCURRENCY = 8;
const SERVICES = ['order', 'inventory', 'payment', 'fulfilment'] as const;

const many = <T>(value: T, count: number): T[] => Array.from({ length: count }, () => value);
/** What may stand where something else belongs. */
const ODD: [string, unknown][] = [
  ['null', null],
  ['a list', []],
  ['a list in a list', [[]]],
  ['a list of objects', many({}, 5_000)],
  ['an object', {}],
  ['an object with inherited names', { constructor: 1, toString: [], valueOf: {} }],
  ['many members', Object.fromEntries(many(0, 2_000).map((_, n) => [`m${n}`, n]))],
  ['true', true],
  ['a text', 'x'],
  ['an empty text', ''],
  ['a long text', 'x'.repeat(30_000)],
  ['a text with controls', 'a\u0000\u001b[2J\u2028\u202e\n'],
  ['a negative number', -1],
  ['a fraction', 0.5],
  ['a large number', Number.MAX_SAFE_INTEGER],
  ['depth', JSON.parse(`${'['.repeat(150)}${']'.repeat(150)}`)],
];

interface Operation {
  requestBody?: { content: Record<string, { example?: unknown; examples?: Record<string, { value: unknown }> }> };
  parameters?: { name: string; in: string; required?: boolean }[];
}

/** The body with each of its parts, and with itself, replaced. */
function* changesOf(body: unknown, path = ''): Generator<{ path: string; apply: (value: unknown) => unknown }> {
  yield { path, apply: (value) => value };
  if (typeof body !== 'object' || body === null) return;
  for (const [name, part] of Object.entries(body)) {
    const put = (value: unknown) => (Array.isArray(body) ? body.with(Number(name), value) : { ...body, [name]: value });
    for (const inner of changesOf(part, `${path}/${name}`)) {
      yield { path: inner.path, apply: (value) => put(inner.apply(value)) };
    }
  }
  if (!Array.isArray(body)) yield { path: `${path}/further`, apply: (value) => ({ ...body, further: value }) };
}

describe('R29 bodies of another shape', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await Shop.open(catalogue);
  }, TIMEOUT_MS);
  afterAll(() => shop?.close());

  async function operationsOf(service: ServiceName) {
    const document = (await (await fetch(`${shop.system.urls[service]}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, Operation>>;
    };
    return Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { requestBody }]) => {
        const { example, examples } = requestBody?.content['application/json'] ?? {};
        const body = example ?? Object.values(examples ?? {})[0]?.value;
        return body === undefined ? [] : [{ method: method.toUpperCase(), path, body }];
      }),
    );
  }

  it.each(SERVICES)(
    'R29 are refused by %s with a problem, on every route and at every place',
    async (service) => {
      const client = new ApiClient(shop.system.urls[service], DEVELOPMENT_KEY);
      const operations = await operationsOf(service);
      expect(operations.length).toBeGreaterThan(2);
      const tries = operations.flatMap(({ method, path, body }) =>
        [...changesOf(body)].flatMap((change) => ODD.map(([name, value]) => ({ method, path, name, change, value }))),
      );
      const wrong: string[] = [];
      const placed: string[] = [];
      await inParallel(tries, CONCURRENCY, async ({ method, path, name, change, value }) => {
        const address = path.replaceAll(/\{[^}]*\}/g, () => randomUUID());
        const headers = { 'idempotency-key': randomUUID() };
        const answer = await client.send<Order>(method, address, { headers, body: change.apply(value) ?? 'null' });
        const type = answer.headers.get('content-type') ?? '';
        const isProblem = type.startsWith('application/problem+json') && typeof answer.body.code === 'string';
        if (answer.status >= 500 || (answer.status >= 400 && !isProblem)) {
          wrong.push(
            `${method} ${path}: ${name} at ${change.path || '/'}: ${answer.status} ${answer.text.slice(0, 200)}`,
          );
        }
        if (service === 'order' && answer.status === 201 && path.startsWith('/orders')) placed.push(answer.body.id);
      });
      expect(wrong).toEqual([]);
      // What was taken can be carried out: no participant finds a command that it cannot read.
      await inParallel(placed, CONCURRENCY, async (id) => {
        const { body } = await shop.settled(id);
        expect(body.reason).not.toBe('malformed_command');
      });
      expect(shop.lines().filter(({ level }) => level === 'error')).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
