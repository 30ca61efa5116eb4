/** A refused command that an operator sends again with another body, on a real database. */
import { defineCommand, type Reply } from '@shop/messaging';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { actOn, beginOn, expireOn, useSagaStack } from '../testing/sagas';
import { defineSaga, type SagaDefinition, step } from './definition';
import { SagasByHand } from './sagas-by-hand';
import { findSaga, type SagaView, withoutOperators } from './saga.view';
import { eraseSagas } from './erase-sagas';

const stack = useSagaStack();

class FlightBody {
  @IsString() tenant: string;
  @IsString() booking: string;
  @IsString() @MaxLength(10) airport: string;
  @IsString() card: string;
  @IsOptional() @IsString() seat?: string;
}
interface Trip {
  tenant: string;
  airport: string;
  card: string;
  seat?: string;
}
const action = (name: string) => ({
  command: defineCommand({ service: 'travel', name, version: 1, body: FlightBody }),
  body: (data: Trip, sagaId: string) => ({ ...data, booking: `${sagaId}/flight/do` }),
});
const deadline = { attempts: 1, undoAttempts: 1 };
const trip = defineSaga<Trip>(
  'trip',
  1,
  [
    step('flight', { do: action('flight'), undo: action('cancel-flight'), deadline }),
    step('pay', { do: action('pay'), pivot: true, deadline }),
    step('tell', { do: action('tell'), deadline }),
  ],
  { secrets: ['card'] },
) as SagaDefinition<never>;
const data: Trip = { tenant: 'acme', airport: 'BER', card: 'tok_1', seat: '12A' };

let one: Replica;
let byHand: SagasByHand;

beforeEach(async () => {
  one = await openReplica(stack.databaseUrl, { definitions: [trip], logFields: () => ({}) });
  byHand = new SagasByHand({ engine: one.engine, definitions: [trip] });
});
afterEach(() => one.database.close());

const begin = () => beginOn(one, trip as never, data as never);
const reply = (id: string, command: string, told?: Reply) => one.engine.receive(replyTo(id, command, told));
const correct = (id: string, body: Record<string, unknown>) =>
  one.database.transaction((tx) => byHand.correctIn(tx, id, { by: 'olga', reason: 'a wrong airport', body }));
const sagaOf = async (id: string): Promise<SagaView> => (await findSaga(one.database, id))!;
const sent = (id: string) => one.sent.filter(({ message }) => message.subject === id).map(({ message }) => message);
const last = (id: string) => sent(id).at(-1)!;
const doubt: Reply = { outcome: 'refused', reason: 'unreadable', inDoubt: true };

/** The command behind the pivot is refused, so the saga cannot turn back. */
async function parkedBehindThePivot(told = refused('no_such_airport')): Promise<string> {
  const id = await begin();
  for (const done of ['flight.do', 'pay.do']) await reply(id, done);
  await reply(id, 'tell.do', told);
  return id;
}

/** The way back is refused. */
async function parkedOnItsWayBack(): Promise<string> {
  const id = await begin();
  await one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
  await reply(id, 'flight.undo', refused('no_such_airport'));
  return id;
}

describe('R49 a command with a corrected body', () => {
  it('R49 is sent under a new id, and the saga goes on with its reply alone', async () => {
    const id = await parkedBehindThePivot();
    expect(await correct(id, { airport: 'MUC', seat: null })).toBeUndefined();
    expect(last(id)).toMatchObject({
      id: `${id}/tell/do/2`,
      data: { tenant: 'acme', airport: 'MUC', card: 'tok_1', booking: `${id}/flight/do` },
    });
    expect(last(id).data).not.toHaveProperty('seat');
    // What the refused command is answered with once more is old.
    await reply(id, 'tell.do');
    expect(await sagaOf(id)).toMatchObject({ status: 'running', step: 'tell' });
    await one.engine.receive({ ...replyTo(id, 'tell.do'), causationid: `${id}/tell/do/2` });
    expect(await sagaOf(id)).toMatchObject({ status: 'completed' });
  });

  it('R49 is sent again as it is when its deadline passes, also by another replica', async () => {
    const id = await parkedBehindThePivot();
    await correct(id, { airport: 'MUC' });
    const two = await openReplica(stack.databaseUrl, { definitions: [trip], logFields: () => ({}) });
    await expireOn(two, id);
    await two.deadlines.wake();
    expect(two.sent.map(({ message }) => message)).toEqual([
      expect.objectContaining({ id: `${id}/tell/do/2`, data: last(id).data }),
    ]);
    await two.database.close();
  });

  it('R49 undoes the same command as before, and may be corrected again when it is refused again', async () => {
    const id = await parkedOnItsWayBack();
    await correct(id, { airport: 'MUC' });
    expect(last(id)).toMatchObject({ id: `${id}/flight/undo/2`, undoes: `${id}/flight/do` });
    const second = { ...replyTo(id, 'flight.undo', refused('closed')), causationid: `${id}/flight/undo/2` };
    await one.engine.receive(second);
    expect(await sagaOf(id)).toMatchObject({ status: 'parked' });
    await correct(id, { airport: 'HAM' });
    expect(last(id)).toMatchObject({ id: `${id}/flight/undo/3`, data: { airport: 'HAM', seat: '12A' } });
    await one.engine.receive({ ...second, data: { outcome: 'succeeded' }, causationid: `${id}/flight/undo/3` });
    expect(await sagaOf(id)).toMatchObject({ status: 'compensated' });
  });

  it('R49 tells the history who, why and what is new, and neither customers nor the log what', async () => {
    const id = await parkedBehindThePivot();
    await correct(id, { airport: 'MUC' });
    const saga = await sagaOf(id);
    expect(saga.history.at(-1)).toMatchObject({
      event: 'operator.retry',
      detail: { by: 'olga', reason: 'a wrong airport', revision: 2, corrected: { airport: 'MUC' } },
    });
    expect(JSON.stringify([withoutOperators(saga), one.log])).not.toMatch(/MUC|wrong airport/);
    await one.database.transaction((tx) => eraseSagas(tx, [id], { definitions: [trip], names: false }));
    expect((await sagaOf(id)).history.at(-1)!.detail).toMatchObject({ by: 'olga', corrected: 'erased' });
  });

  it('R49 leaves nothing in the row of a saga that has ended', async () => {
    const id = await parkedBehindThePivot();
    await correct(id, { airport: 'MUC' });
    await one.engine.receive({ ...replyTo(id, 'tell.do'), causationid: `${id}/tell/do/2` });
    const rows = await one.database.query(
      { name: 'test.awaited', text: 'select awaited, held from saga where id = $1' },
      [id],
    );
    expect(rows).toEqual([{ awaited: null, held: null }]);
  });

  it.each<[string, Record<string, unknown>, object]>([
    ['the tenant', { tenant: 'rival' }, { reason: 'member-fixed' }],
    ['a secret', { card: 'tok_2' }, { reason: 'member-fixed' }],
    ['an id that is made of its own', { booking: 'another' }, { reason: 'member-fixed' }],
    ['nothing', { airport: 'BER' }, { reason: 'nothing-changed' }],
    ['a member that there is not', { hotel: 'x' }, { faults: [expect.objectContaining({ path: 'hotel' })] }],
    ['a member into what it cannot be', { airport: 7 }, { faults: [expect.objectContaining({ path: 'airport' })] }],
    ['away what is needed', { airport: null }, { faults: [expect.objectContaining({ path: 'airport' })] }],
  ])('R49 cannot change %s', async (_, body, why) => {
    const id = await parkedBehindThePivot();
    const before = await sagaOf(id);
    expect(await correct(id, body)).toEqual(why);
    expect(await sagaOf(id)).toEqual(before);
  });

  it('R49 is refused where the command may have been carried out: in doubt, unanswered, or on its way', async () => {
    const inDoubt = await parkedBehindThePivot(doubt);
    const unanswered = await begin();
    await one.engine.dispatch(unanswered, { type: 'cancel-requested', reason: 'rain' });
    await expireOn(one, unanswered);
    await one.deadlines.wake();
    expect((await sagaOf(unanswered)).status).toBe('parked');
    const running = await begin();
    expect(await correct(inDoubt, { airport: 'MUC' })).toEqual({ reason: 'outcome-unknown' });
    expect(await correct(unanswered, { airport: 'MUC' })).toEqual({ reason: 'outcome-unknown' });
    expect(await correct(running, { airport: 'MUC' })).toEqual({ reason: 'not-parked' });
    // Sent again as it is, its participant says that it has done nothing. From then on it can be corrected.
    await actOn(one, unanswered, { type: 'operator', act: 'retry', by: 'olga' });
    await reply(unanswered, 'flight.undo', refused('no_such_airport'));
    expect(await correct(unanswered, { airport: 'MUC' })).toBeUndefined();
  });

  it('R49 is told beforehand, with the members that may be changed', async () => {
    const id = await parkedBehindThePivot();
    const outlook = async () => (await byHand.outlook(one.database, id))!.correction;
    expect(await outlook()).toEqual({ possible: true, body: { airport: 'BER', seat: '12A' } });
    await correct(id, { airport: 'MUC' });
    expect(await outlook()).toEqual({ possible: false, why: 'not-parked' });
  });
});
