/** The stream of moves, from two replicas to operators who look. */
import { Broker } from '@shop/messaging';
import { eventually, useStack } from '@shop/testing';
import { callers, OrderApp, type OrderJson, type TwoOrderApps } from '../../../testing/order-app';
import { allSucceed, Participants } from '../../../testing/participants';
import { SagaMoves } from './saga-moves';

const stack = useStack();
let here: OrderApp;
let there: OrderApp;
let participants: Participants;
let close: TwoOrderApps['close'];
let address: string;

beforeAll(async () => {
  const two = await OrderApp.startTwo(stack);
  ({ here, there, close } = two);
  participants = await Participants.join(two.natsUrl);
  address = await there.listen();
  await here.putProduct('cup', 1_200);
});
afterAll(async () => {
  await participants.leave();
  await close(here, there);
});

interface Looking {
  text: () => string;
  moves: () => Record<string, unknown>[];
  leave: () => void;
  ended: Promise<void>;
}

/** Reads the stream of the other replica until it ends, or `leave` is called. */
async function look(key: string = callers.operator, query = ''): Promise<Looking> {
  const client = new AbortController();
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${address}/sagas/live${query}`, { headers, signal: client.signal });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  const decoder = new TextDecoder();
  const read = async () => {
    for await (const part of answer.body!) text += decoder.decode(part as Uint8Array, { stream: true });
  };
  const ended = read().catch(() => undefined);
  await eventually(() => expect(text).toContain(': listening'));
  const moves = () =>
    [...text.matchAll(/^event: move\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as Record<string, unknown>);
  return { text: () => text, moves, leave: () => client.abort(), ended };
}

/** How many tenants a replica tells others about. */
const watchedBy = (app: OrderApp): number =>
  app.app.get<unknown, { watched: Map<string, number> }>(SagaMoves).watched.size;

describe('R49 sagas that move', () => {
  it('R49 R54 are shown to an operator of the tenant, whichever replica moves them, and to nobody else', async () => {
    const [mine, theirs] = [await look(), await look(callers.rival)];
    await eventually(() => expect(watchedBy(here)).toBe(2));
    const { id } = (await here.place()).json<OrderJson>();
    await participants.play(id, allSucceed);
    const own = () => mine.moves().filter(({ sagaId }) => sagaId === id);
    await eventually(() => expect(own()).toHaveLength(4));
    expect(own().map(({ seq, event, from, to }) => [seq, event, from, to])).toEqual([
      [1, 'started', 'new', 'reserve.do'],
      [2, 'do.succeeded', 'reserve.do', 'charge.do'],
      [3, 'do.succeeded', 'charge.do', 'confirm.do'],
      [4, 'do.succeeded', 'confirm.do', 'completed'],
    ]);
    expect(own().at(-1)).toEqual({
      sagaId: id,
      orderId: id,
      definition: 'place-order',
      seq: 4,
      step: 'confirm',
      event: 'do.succeeded',
      from: 'confirm.do',
      to: 'completed',
      status: 'completed',
      at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect(theirs.moves()).toEqual([]);
    mine.leave();
    theirs.leave();
  });

  it('R49 R45 make a stream of its own say that there were more than are told', async () => {
    const looking = await look();
    const moves = there.app.get(SagaMoves);
    const { id } = (await here.place()).json<OrderJson>();
    const change = { saga: { id, version: 1, data: { tenant: 'acme' } } };
    moves.note(Array<object>(501).fill(change) as unknown as Parameters<SagaMoves['note']>[0]);
    await eventually(() => expect(looking.text()).toContain('event: gap\ndata: {}\n\n'));
    looking.leave();
  });

  it('R49 end a stream when its time is over, and refuse one that asks for too long', async () => {
    const looking = await look(callers.operator, '?seconds=1');
    await looking.ended;
    const answer = await here.get('/sagas/live?seconds=601', { key: callers.operator });
    expect(answer.statusCode).toBe(400);
  });

  it('R49 R28 survive what is no hint', async () => {
    const looking = await look();
    const { nats } = here.app.get(Broker);
    for (const text of ['', '[', '{}', '[1, null, {"tenant":7}]', '[{"tenant":"acme","sagaId":"x","seq":1}]']) {
      nats.publish('note.order.sagas-moved', text);
      nats.publish('note.order.sagas-watched', text);
    }
    const { id } = (await here.place()).json<OrderJson>();
    await eventually(() => expect(looking.moves().map(({ sagaId }) => sagaId)).toContain(id));
    looking.leave();
  });

  it('R35 do not hold up a service that stops', async () => {
    const looking = await look();
    await there.close();
    await looking.ended;
    expect(watchedBy(there)).toBeGreaterThan(0);
  });
});
