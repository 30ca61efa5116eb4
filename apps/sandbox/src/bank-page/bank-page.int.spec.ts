/** The page of the bank over HTTP, as a browser without scripts uses it. */
import { startProvider, type TestProvider } from '../../testing';

let provider: TestProvider;

beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.close());

it('is shown where the intent says, and pays when the customer approves', async () => {
  const { id, url } = await waiting();
  const page = await fetch(url);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(await page.text()).toContain('42.00 USD');
  const answer = await send(url, 'approve');
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('You have approved')]);
  expect(await statusOf(id)).toBe('succeeded');
});

it.each([
  ['approve', 'succeeded', 'succeeded'],
  ['decline', 'failed', 'requires_payment_method'],
])('goes back to the shop after %s', async (outcome, redirectStatus, status) => {
  const { id, url } = await waiting('https://shop.example/back');
  const answer = await send(url, outcome);
  expect([answer.status, answer.headers.get('location')]).toEqual([
    303,
    `https://shop.example/back?payment_intent=${id}&redirect_status=${redirectStatus}`,
  ]);
  expect(await statusOf(id)).toBe(status);
});

it('is dead when the intent is cancelled, expired or decided', async () => {
  const [cancelled, expired, decided] = [await waiting(), await waiting(), await waiting()];
  await provider.stripe.paymentIntents.cancel(cancelled.id);
  await provider.admin('POST', `intents/${expired.id}/expire`);
  await send(decided.url, 'decline');
  for (const [{ id, url }, text, status] of [
    [cancelled, 'was cancelled or has expired', 'canceled'],
    [expired, 'was cancelled or has expired', 'canceled'],
    [decided, 'has been decided already', 'requires_payment_method'],
  ] as const) {
    for (const answer of [await fetch(url), await send(url, 'approve')]) {
      expect([answer.status, await answer.text()]).toEqual([410, expect.stringContaining(text)]);
    }
    expect(await statusOf(id)).toBe(status);
  }
});

it('says that it knows no such payment, and takes nothing but an answer', async () => {
  for (const answer of [await fetch(`${provider.url}/3ds/pi_0`), await send(`${provider.url}/3ds/pi_0`, 'approve')]) {
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('no such payment')]);
  }
  const { id, url } = await waiting();
  expect((await send(url, 'steal')).status).toBe(400);
  expect((await fetch(url, { method: 'POST' })).status).toBe(400);
  expect(await statusOf(id)).toBe('requires_action');
});

async function waiting(returnUrl?: string): Promise<{ id: string; url: string }> {
  const intent = await provider.stripe.paymentIntents.create({ amount: 4_200, currency: 'usd' });
  const params = { payment_method: 'tok_3ds', return_url: returnUrl };
  const { id, next_action: action } = await provider.stripe.paymentIntents.confirm(intent.id, params);
  return { id, url: action!.redirect_to_url!.url! };
}

function send(url: string, outcome: string): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams({ outcome }), redirect: 'manual' });
}

async function statusOf(id: string): Promise<string> {
  return (await provider.stripe.paymentIntents.retrieve(id)).status;
}
