/** What the server of the console lets through, with services of the test behind it. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { expectProblem } from '@shop/http/testing';
import { eventually } from '@shop/testing';
import { ConsoleApp, HOST, OWN } from '../testing/console-app';
import { CUSTOMER, json, OPERATOR, PLATFORM } from '../testing/fake-services';

const HOUR_MS = 3_600_000;
let now = 0;
let here: ConsoleApp;

beforeAll(async () => {
  here = await ConsoleApp.start({ now: () => now });
});
afterAll(() => here.close());
beforeEach(() => {
  now = 0;
  here.order.heard.length = 0;
  here.order.answers = {};
});

describe('R49 R54 a session', () => {
  it('begins with the key of an operator, in a cookie that no script and no other site can use', async () => {
    const answer = await here.ask({ method: 'POST', url: '/session', body: { key: OPERATOR } });
    expect(answer.json()).toEqual({
      mark: expect.stringMatching(/^[0-9a-f]{8}$/),
      isPlatform: false,
      until: expect.any(String),
    });
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(cookie + answer.body).not.toContain(OPERATOR);
  });

  it.each([
    ['a stranger', 'key-of-nobody', 401, 'unauthenticated'],
    ['a customer', CUSTOMER, 403, 'forbidden'],
    ['what is no key', 'two words', 400, 'validation_failed'],
  ])('does not begin for %s', async (_, key, status, code) => {
    const answer = await here.ask({ method: 'POST', url: '/session', body: { key } });
    expectProblem(answer, status, code);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('is over after eight hours, also for a browser that keeps the cookie', async () => {
    const cookie = await here.signIn(OPERATOR);
    now = 8 * HOUR_MS - 1;
    expect((await here.ask({ url: '/session', cookie })).statusCode).toBe(200);
    now = 8 * HOUR_MS;
    expectProblem(await here.ask({ url: '/session', cookie }), 401, 'signed_out');
  });

  it.each([
    ['without a cookie', () => undefined],
    ['with one of another secret', otherSession],
    ['with a key in the place of what is sealed', () => `console={"key":"${OPERATOR}","until":9e15}`],
    [
      'with one that was changed',
      // Not its last letter: not all bits of that one count.
      async () => (await here.signIn(OPERATOR)).replace(/.(?=.{8}$)/, (letter) => (letter === 'A' ? 'B' : 'A')),
    ],
  ])('is not there %s', async (_, make) => {
    const cookie = await make();
    here.order.heard.length = 0;
    expectProblem(await here.ask({ url: '/api/order/sagas', cookie }), 401, 'signed_out');
    expect(here.order.heard).toEqual([]);
  });

  it('ends when somebody signs out', async () => {
    const answer = await here.ask({ method: 'DELETE', url: '/session' });
    expect(answer.statusCode).toBe(204);
    expect(String(answer.headers['set-cookie'])).toMatch(/^console=; Path=\/; Max-Age=0/);
  });

  it('ends when its key was taken away', async () => {
    const cookie = await here.signIn(OPERATOR);
    here.order.answers['GET /sagas'] = (response) => json(response, 401, { code: 'unauthenticated' });
    const answer = await here.ask({ url: '/api/order/sagas', cookie });
    expect(answer.statusCode).toBe(401);
    expect(String(answer.headers['set-cookie'])).toMatch(/Max-Age=0/);
  });

  it('is only sent over HTTPS in production, and belongs to this host', async () => {
    const there = await ConsoleApp.start({ cookie: { secure: true } });
    try {
      const answer = await there.ask({ method: 'POST', url: '/session', body: { key: OPERATOR } });
      expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-console=sealed.*; Path=\/; .*; Secure$/);
    } finally {
      await there.close();
    }
  });
});

describe('R54 another site', () => {
  const act = { method: 'POST', url: '/api/order/sagas/1234/acts', body: { act: 'retry' } };

  it.each([
    ['that sends a form', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['that a browser has not marked', { origin: 'https://evil.example', 'x-console': '1' }],
    ['of the same domain', { 'sec-fetch-site': 'same-site', 'x-console': '1' }],
    ['without the header of our page', { origin: `http://${HOST}` }],
    ['that hides where it comes from', { origin: 'null', 'x-console': '1' }],
  ])('%s does nothing', async (_, headers) => {
    const cookie = await here.signIn(OPERATOR);
    here.order.heard.length = 0;
    expectProblem(await here.ask({ ...act, cookie, headers }), 403, 'foreign_page');
    expect(here.order.heard).toEqual([]);
  });

  it('reads no stream', async () => {
    const cookie = await here.signIn(OPERATOR);
    const headers = { 'sec-fetch-site': 'cross-site' };
    expectProblem(await here.ask({ url: '/api/order/sagas/live', cookie, headers }), 403, 'foreign_page');
  });

  it('cannot take the name of the console, when it knows its own', async () => {
    const there = await ConsoleApp.start({ origin: 'https://console.example' });
    try {
      const headers = { 'x-console': '1', origin: 'https://rebound.example', host: 'rebound.example' };
      expectProblem(await there.ask({ method: 'DELETE', url: '/session', headers }), 403, 'foreign_page');
      const own = { ...OWN, origin: 'https://console.example' };
      expect((await there.ask({ method: 'DELETE', url: '/session', headers: own })).statusCode).toBe(204);
    } finally {
      await there.close();
    }
  });
});

describe('R49 what is passed on', () => {
  it('has the key, the query, the body and the idempotency key, and nothing else of the page', async () => {
    const cookie = await here.signIn(OPERATOR);
    here.order.answers['POST /sagas/1234/acts'] = (response) => json(response, 201, { id: '1234' });
    const headers = { ...OWN, 'idempotency-key': 'k-1', 'x-other': 'no', 'accept-language': 'de' };
    const body = { act: 'retry', reason: 'it is back' };
    const answer = await here.ask({ method: 'POST', url: '/api/order/sagas/1234/acts', cookie, headers, body });
    expect([answer.statusCode, answer.json()]).toEqual([201, { id: '1234' }]);
    const heard = here.order.heard.at(-1)!;
    expect(JSON.parse(heard.body)).toEqual(body);
    expect(heard.headers).toMatchObject({ authorization: `Bearer ${OPERATOR}`, 'idempotency-key': 'k-1' });
    expect(heard.headers).not.toHaveProperty('cookie');
    expect(heard.headers).not.toHaveProperty('x-other');
    await here.ask({ url: '/api/order/sagas?q=a%20b&limit=2', cookie });
    expect(here.order.heard.at(-1)!.url).toBe('/sagas?q=a%20b&limit=2');
  });

  it('brings back the answer, and no header that could do something', async () => {
    const cookie = await here.signIn(OPERATOR);
    here.order.answers['GET /sagas'] = (response) => json(response, 409, { code: 'set_changed', count: 7 });
    const answer = await here.ask({ url: '/api/order/sagas', cookie });
    expect([answer.statusCode, answer.json()]).toEqual([409, { code: 'set_changed', count: 7 }]);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.headers).not.toHaveProperty('x-inside');
  });

  it.each(['/api/order/api-keys', '/api/order/sagas/..%2fapi-keys', '/api/sandbox/charges', '/api/order'])(
    'is not %s',
    async (url) => {
      const cookie = await here.signIn(PLATFORM);
      here.order.heard.length = 0;
      expect((await here.ask({ url, cookie })).statusCode).toBe(404);
      expect(here.order.heard).toEqual([]);
    },
  );

  it('does not wait for a service that is away', async () => {
    const cookie = await here.signIn(OPERATOR);
    expectProblem(await here.ask({ url: '/api/inventory/dead-letters', cookie }), 502, 'service_away');
  });

  it('follows no service elsewhere, where the key would go too', async () => {
    const cookie = await here.signIn(OPERATOR);
    here.order.answers['GET /sagas'] = (response) => void response.writeHead(302, { location: '/elsewhere' }).end();
    expectProblem(await here.ask({ url: '/api/order/sagas', cookie }), 502, 'service_away');
    expect(here.order.heard.some(({ url }) => url === '/elsewhere')).toBe(false);
  });

  it('has no answer without an end', async () => {
    const cookie = await here.signIn(OPERATOR);
    here.order.answers['GET /sagas'] = (response) => void response.end('x'.repeat(5 * 1_024 * 1_024));
    expectProblem(await here.ask({ url: '/api/order/sagas', cookie }), 502, 'answer_too_large');
  });

  it('is a stream as long as the page is there', async () => {
    const cookie = await here.signIn(OPERATOR);
    let left = false;
    here.order.answers['GET /sagas/live'] = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: move\ndata: {"seq":1}\n\n');
      response.on('close', () => (left = true));
    };
    const request = get(`${here.url}/api/order/sagas/live`, { headers: { cookie } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    response.on('data', (part: Buffer) => (text += part.toString()));
    await eventually(() => expect(text).toContain('data: {"seq":1}'));
    expect(response.headers['content-type']).toBe('text/event-stream');
    request.destroy();
    await eventually(() => expect(left).toBe(true));
  });

  it('says so when the service has no such stream', async () => {
    const cookie = await here.signIn(OPERATOR);
    here.order.answers['GET /sagas/live'] = (response) => json(response, 404, { code: 'saga_not_found' });
    expectProblem(await here.ask({ url: '/api/order/sagas/live', cookie }), 404, 'no_stream');
  });
});

describe('R54 figures and logs of the whole system', () => {
  it.each(['/figures', '/figures/live', '/logs?ids=12345678'])('are for the role platform: %s', async (url) => {
    expectProblem(await here.ask({ url, cookie: await here.signIn(OPERATOR) }), 403, 'forbidden');
  });

  it('are empty where nobody said where to look', async () => {
    const cookie = await here.signIn(PLATFORM);
    expect((await here.ask({ url: '/figures', cookie })).json()).toMatchObject({
      points: [],
      overview: { watched: false },
    });
    expectProblem(await here.ask({ url: '/logs?ids=12345678', cookie }), 404, 'no_logs');
  });
});

describe('R54 the page', () => {
  it('may run nothing but its own files, and be in no frame', async () => {
    const answer = await here.ask({ url: '/', headers: {} });
    expect(answer.statusCode).toBe(200);
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|data:|https?:/);
  });

  it('has files that are kept, and no others', async () => {
    const answer = await here.ask({ url: '/assets/app.js', headers: {} });
    expect(answer.headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8' });
    expect(answer.headers['cache-control']).toContain('immutable');
    for (const url of ['/assets/..%2findex.html', '/assets/none.js', '/index.html', '/main.js']) {
      expect((await here.ask({ url, headers: {} })).statusCode).toBe(404);
    }
  });
});

async function otherSession(): Promise<string> {
  const there = await ConsoleApp.start();
  try {
    return await there.signIn(OPERATOR);
  } finally {
    await there.close();
  }
}
