import { newTraceparent, spanIdOf, traceIdOf } from '@shop/observability';
import fastify, { type FastifyInstance } from 'fastify';
import { goOnWithTrace, traceRequests } from './request-spans';

const CLIENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let app: FastifyInstance;
beforeAll(() => {
  app = fastify();
  traceRequests(app);
  goOnWithTrace(app);
  app.get('/seen', (request) => ({ traceparent: request.headers['traceparent'] }));
});
afterAll(() => app.close());

const ask = async (traceparent?: string) => {
  const answer = await app.inject({ url: '/seen', headers: traceparent === undefined ? {} : { traceparent } });
  return {
    returned: answer.headers['traceparent'] as string,
    seen: answer.json<{ traceparent?: string }>().traceparent,
  };
};

describe('R50 the trace of a client, without tracing', () => {
  it.each(['00', '01'])('R50 is kept with its flag %s, and the client gets the span of its request', async (flag) => {
    const given = `${CLIENT.slice(0, -2)}${flag}`;
    const { returned, seen } = await ask(given);
    expect(returned).toBe(seen);
    expect([traceIdOf(returned), returned.slice(-3)]).toEqual([traceIdOf(CLIENT), `-${flag}`]);
    expect(spanIdOf(returned)).not.toBe(spanIdOf(CLIENT));
  });

  it.each(['', 'nonsense', `${CLIENT}\u00e4`])('R54 is replaced when it is %p', async (given) => {
    const { returned, seen } = await ask(given);
    expect(returned).toBe(seen);
    expect(returned).toHaveLength(newTraceparent().length);
    expect(traceIdOf(returned)).not.toBe(traceIdOf(CLIENT));
  });

  it('R50 is not made for a client that names none', async () => {
    expect(await ask()).toEqual({ returned: undefined, seen: undefined });
  });
});
