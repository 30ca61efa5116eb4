/**
 * Every mutating route of every service, over two replicas: its request is repeated, raced, and sent again after its
 * answer was lost. Each time it is done once, and everybody is told so. A route without a row in the tables fails.
 */
import { randomUUID } from 'node:crypto';
import { ownServices } from '@shop/system';
import { eventually } from '@shop/testing';
import type { Attempt, Service } from './attempt';
import { cartRows } from './cart-rows';
import { commonRows, UNKNOWN_MESSAGE } from './common-rows';
import { backfillRow, fulfilmentRows } from './fulfilment-rows';
import { inventoryRows } from './inventory-rows';
import { invoiceRows } from './invoice-rows';
import { orderRows } from './order-rows';
import { paymentRows } from './payment-rows';
import { profileRows } from './profile-rows';
import { promotionRows } from './promotion-rows';
import { reservationRows } from './reservation-rows';
import { mutatingRoutes, type Strategy } from './routes';
import { nameOf, type Row } from './row';
import { sagaRows } from './saga-rows';
import { shelfRows } from './shelf-rows';
import { type Answer, World } from './world';

const TIMEOUT_MS = 120_000;
/** At once, by turns through both replicas. */
const RACERS = 6;
/** The machine may be busy with something else. */
const patiently = { timeoutMs: 30_000 };

const rows: Row[] = [
  ...orderRows,
  ...sagaRows,
  ...cartRows,
  ...promotionRows,
  ...profileRows,
  ...inventoryRows,
  ...shelfRows,
  ...reservationRows,
  ...paymentRows,
  ...invoiceRows,
  ...fulfilmentRows,
  backfillRow('fulfilment', 'orders-before-fulfilment'),
  backfillRow('order', 'orders-confirmed-at'),
  ...(ownServices as Service[]).flatMap((service) => commonRows(service)),
];
const table = rows.map((row): [string, Row] => [nameOf(row), row]);

describe('R21 every mutating route over two replicas', () => {
  let world: World;
  let strategies: Map<string, Strategy>;

  beforeAll(async () => {
    world = await World.open();
    strategies = await mutatingRoutes(world.shop.system.urls);
  }, TIMEOUT_MS);
  afterAll(() => world?.close(), TIMEOUT_MS);

  const routeOf = ({ service, route }: Row): string => `${service}: ${route}`;
  const methodOf = ({ route }: Row): string => route.slice(0, route.indexOf(' '));
  const isKeyed = (row: Row): boolean => ['atomic', 'leased'].includes(strategies.get(routeOf(row)) ?? '');

  /** A request that has not been sent yet. All who send it send the same. */
  async function fresh(row: Row): Promise<{ attempt: Attempt; send: (replica: 0 | 1) => Promise<Answer> }> {
    const made = await row.attempt(world);
    expect(await made.done()).toBe(0);
    const key: Record<string, string> = isKeyed(row) ? { 'idempotency-key': randomUUID() } : {};
    const attempt = { ...made, headers: { ...key, ...made.headers } };
    return { attempt, send: (replica) => world.send(row.service, methodOf(row), attempt, replica) };
  }

  /** The part of an answer that is the same in all of them. */
  function toldBy(row: Row, { status, text, body, etag }: Answer): unknown {
    if (isKeyed(row)) return { status, text };
    const { moving } = row;
    const kept = Object.entries(body).filter(([member]) => !moving?.includes(member));
    return { body: Object.fromEntries(kept), etag: moving ? undefined : etag };
  }

  const isDone = ({ status }: Answer): boolean => status < 300;
  /** It was told to come again: somebody else was at it. */
  const isBusy = ({ status, body }: Answer): boolean => status === 409 && body['code'] === 'idempotency_key_in_use';

  /**
   * All were told the same, or that their condition does not hold any more, and one of them, at most, that it was the
   * one who did it: this is `doers`.
   */
  function expectSame(row: Row, answers: readonly Answer[], doers: 0 | 1): void {
    const told = answers.filter((answer) => answer.status !== row.repeated);
    expect(told.filter((answer) => !isDone(answer))).toEqual([]);
    expect(told.map((answer) => toldBy(row, answer))).toEqual(told.map(() => toldBy(row, told[0]!)));
    if (isKeyed(row)) expect(told.filter(({ replayed }) => !replayed)).toHaveLength(doers);
    else if (row.repeated !== undefined) expect(told).toHaveLength(doers);
    else expect(told.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(doers);
  }

  const expectDone = ({ done }: Attempt) => eventually(async () => expect(await done()).toBe(1), patiently);

  it('has a row for each of them, and no other', () => {
    expect([...new Set(rows.map(routeOf))].sort()).toEqual([...strategies.keys()].sort());
  });

  it.each(table)(
    'R21 repeated, it is done once and answered alike: %s',
    async (_name, row) => {
      const { attempt, send } = await fresh(row);
      const answers = [await send(0)];
      await expectDone(attempt);
      answers.push(await send(1), await send(0));
      expectSame(row, answers, 1);
      expect(isDone(answers[0]!)).toBe(true);
      expect(await attempt.done()).toBe(1);
    },
    TIMEOUT_MS,
  );

  it.each(table)(
    'R21 raced through both replicas, it is done once and answered alike: %s',
    async (_name, row) => {
      const { attempt, send } = await fresh(row);
      const replicas = Array.from({ length: RACERS }, (_, n) => (n % 2) as 0 | 1);
      const race = await Promise.all(replicas.map(send));
      const settled = await eventually(async () => {
        const again = await send(1);
        expect(isBusy(again)).toBe(false);
        return again;
      }, patiently);
      const answers = race.filter((answer) => !isBusy(answer));
      expect(answers).not.toEqual([]);
      expectSame(row, [...answers, settled], 1);
      await expectDone(attempt);
    },
    TIMEOUT_MS,
  );

  it.each(table)(
    'R21 cut off from its answer, it is done once and the repeat is told so: %s',
    async (_name, row) => {
      const { attempt, send } = await fresh(row);
      await world.loseAnswer(row.service, methodOf(row), attempt, () => expectDone(attempt));
      const answers = await eventually(async () => {
        const again = await send(1);
        expect(isBusy(again)).toBe(false);
        return [again, await send(0)];
      }, patiently);
      expectSame(row, answers, 0);
      expect(await attempt.done()).toBe(1);
    },
    TIMEOUT_MS,
  );

  it('leaves no error in the log, but for the messages that nobody can carry out', () => {
    const errors = world.shop.lines().filter(({ level }) => level === 'error');
    expect(errors.filter(({ messageId }) => !String(messageId).startsWith(UNKNOWN_MESSAGE))).toEqual([]);
  });
});
