/** The carrier over HTTP: what it takes, brings back and tells, and how it fails. */
import { eventually } from '@shop/testing';
import { type Merchant, SECRET, startMerchant, startProvider, type TestProvider } from '../../testing';
import type { ShipmentsView, ShipmentView } from './shipment.view';

let provider: TestProvider;

beforeAll(async () => {
  provider = await startProvider();
});
beforeEach(async () => {
  await provider.admin('DELETE', 'carrier-faults');
  await provider.admin('DELETE', 'carrier-webhooks');
  await provider.admin('PUT', 'carrier-settings', {});
  await provider.admin('DELETE', 'shipments');
});
afterAll(() => provider.close());

interface Answered {
  status: number;
  code?: string;
  body: ShipmentView & { code?: string; items: ShipmentView[] };
  headers: Headers;
}

interface Call {
  body?: object;
  key?: string;
  token?: string | null;
}

async function ask(method: string, path = '', { body, key, token = 'any' }: Call = {}): Promise<Answered> {
  const headers: Record<string, string> = {
    ...(body && { 'content-type': 'application/json' }),
    ...(key !== undefined && { 'idempotency-key': key }),
    ...(token !== null && { authorization: `Bearer ${token}` }),
  };
  const url = `${provider.url}/carrier/v1/shipments${path}`;
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  const read = (await answer.json()) as Answered['body'];
  return { status: answer.status, code: read.code, body: read, headers: answer.headers };
}

const address = { line1: '1 Main Street', postalCode: '10115', city: 'Berlin', country: 'DE' };
const parcel = (reference: string, more: object = {}) => ({
  reference,
  service: 'home',
  recipient: { name: 'Alice <b>', address },
  lines: [{ sku: 'mug', quantity: 2 }],
  ...more,
});
const take = (reference: string, more?: object, key = reference) =>
  ask('POST', '', { body: parcel(reference, more), key });
const find = async (reference: string) => (await ask('GET', `?reference=${reference}`)).body.items;
const all = async () => (await provider.admin<ShipmentsView>('GET', 'shipments')).shipments;
const said = ({ status, code }: Answered): string => (code === undefined ? `${status}` : `${status} ${code}`);

describe('the carrier', () => {
  it('takes a parcel once for each key and for each reference, and finds it by both names', async () => {
    const [first, again] = [await take('a'), await take('a')];
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    expect(first.body).toMatchObject({
      reference: 'a',
      service: 'home',
      status: 'accepted',
      trackingNumber: 'SBX0000000001',
    });
    expect(said(await take('a', {}, 'other'))).toBe('409 reference_taken');
    expect(said(await take('a', { service: 'pick-up' }))).toBe('409 key_reused');
    expect(await find('a')).toEqual([first.body]);
    expect((await ask('GET', `/${first.body.id}`)).body).toEqual(first.body);
    expect(await find('b')).toEqual([]);
    expect(await all()).toEqual([first.body]);
  });

  it('forgets its keys when it is told to, and never its references', async () => {
    await take('a');
    await provider.admin('DELETE', 'shipment-keys');
    expect(said(await take('a'))).toBe('409 reference_taken');
    expect(await all()).toHaveLength(1);
  });

  it('needs an address to bring something, and does not go everywhere', async () => {
    expect(said(await take('a', { recipient: undefined }))).toBe('422 address_missing');
    expect(said(await take('a', { recipient: { name: 'Scott', address: { ...address, country: 'AQ' } } }))).toBe(
      '422 not_served',
    );
    expect(said(await take('a', { recipient: undefined, service: 'pick-up' }))).toBe('201');
  });

  it('wants a key, and well-formed requests', async () => {
    expect(said(await ask('POST', '', { body: parcel('a'), token: null }))).toBe('401 unauthenticated');
    expect(said(await ask('POST', '', { body: parcel('a b') }))).toBe('400 validation_failed');
    expect(said(await ask('POST', '', { body: parcel('a', { recipient: { name: 'Alice' } }) }))).toBe(
      '400 validation_failed',
    );
    expect(said(await ask('GET', '/shp_none'))).toBe('404 shipment_not_found');
  });

  it('brings a parcel back as long as it has not arrived', async () => {
    const [one, other] = [(await take('a')).body, (await take('b')).body];
    for (let time = 0; time < 2; time += 1) {
      expect((await ask('POST', `/${one.id}/recall`)).body).toEqual({ ...one, status: 'recalled' });
    }
    await provider.admin('POST', `shipments/${other.id}/deliver`);
    expect(said(await ask('POST', `/${other.id}/recall`))).toBe('409 not_recallable');
    expect(await provider.admin('POST', `shipments/${one.id}/deliver`)).toMatchObject({ code: 'unexpected_state' });
    expect((await all()).map(({ status }) => status)).toEqual(['recalled', 'delivered']);
  });

  it('brings nothing back when it is told so', async () => {
    const { id } = (await take('a')).body;
    await provider.admin('PUT', 'carrier-settings', { refuseRecalls: true });
    expect(said(await ask('POST', `/${id}/recall`))).toBe('409 not_recallable');
  });

  it('prints a label, on which a name is only a text', async () => {
    const { labelUrl } = (await take('a')).body;
    const label = await fetch(labelUrl);
    expect(label.headers.get('content-type')).toContain('image/svg+xml');
    const picture = await label.text();
    expect(picture).toContain('Alice &lt;b&gt;');
    expect(picture).toContain('SBX0000000001');
  });

  it('delivers by itself', async () => {
    await provider.admin('PUT', 'carrier-settings', { deliverySeconds: 0.2 });
    await take('a');
    await eventually(async () => expect((await all())[0]!.status).toBe('delivered'));
  });

  it('remembers its parcels and keys when it was killed', async () => {
    const { body } = await take('a');
    await ask('POST', `/${body.id}/recall`);
    await provider.restart();
    expect((await find('a')).map(({ id, status }) => [id, status])).toEqual([[body.id, 'recalled']]);
    expect((await take('a')).status).toBe(200);
  });
});

describe('faults of the carrier', () => {
  it.each<[string, object, string]>([
    ['errors', { errorRate: 1 }, '500 internal_error'],
    ['rate limits', { rateLimitRate: 1 }, '429 rate_limited'],
  ])('are %s, and nothing is taken', async (_, faults, expected) => {
    await provider.admin('PUT', 'carrier-faults', faults);
    const answer = await take('a');
    expect(said(answer)).toBe(expected);
    if (answer.status === 429) expect(answer.headers.get('retry-after')).toBe('1');
    expect(await all()).toEqual([]);
  });

  it('are connections that break, before or after it is taken', async () => {
    await provider.admin('PUT', 'carrier-faults', { resetRate: 1 });
    await expect(take('a')).rejects.toThrow();
    expect(await all()).toEqual([]);
    await provider.admin('PUT', 'carrier-faults', { lostAnswerRate: 1 });
    await expect(take('a')).rejects.toThrow();
    expect(await all()).toHaveLength(1);
  });

  it('are together no more than all requests', async () => {
    const answer = await provider.admin('PUT', 'carrier-faults', { resetRate: 0.6, errorRate: 0.6 });
    expect(answer).toMatchObject({ code: 'validation_failed' });
  });
});

describe('events of the carrier', () => {
  let merchant: Merchant;
  beforeEach(async () => {
    merchant = await startMerchant(SECRET, 'carrier-signature');
  });
  afterEach(() => merchant.close());

  it('tell of each step of a parcel, signed', async () => {
    await provider.admin('PUT', 'carrier-webhooks', { url: merchant.url, secret: SECRET });
    const { body } = await take('a');
    await provider.admin('POST', `shipments/${body.id}/deliver`);
    await eventually(() => expect(merchant.events).toHaveLength(2));
    expect(merchant.events).toMatchObject([
      { type: 'shipment.accepted', data: { shipment: body } },
      { type: 'shipment.delivered', data: { shipment: { ...body, status: 'delivered' } } },
    ]);
    expect(new Set(merchant.events.map(({ id }) => id)).size).toBe(2);
    expect(merchant.forged).toBe(0);
  });

  it('are repeated, and sent again until somebody takes them', async () => {
    merchant.answers = [500];
    await provider.admin('PUT', 'carrier-webhooks', { url: merchant.url, secret: SECRET, repeat: 3, shuffle: true });
    await take('a');
    await eventually(() => expect(merchant.events).toHaveLength(3));
    expect(new Set(merchant.events.map(({ id }) => id)).size).toBe(1);
  });

  it('go nowhere unless somebody says where, and their secret is told to nobody', async () => {
    expect(await provider.admin('GET', 'carrier-webhooks')).toMatchObject({ code: 'webhooks_off' });
    const shown = await provider.admin('PUT', 'carrier-webhooks', { url: merchant.url, secret: SECRET });
    expect(JSON.stringify(shown)).not.toContain(SECRET);
    expect(shown).toMatchObject({ url: merchant.url, enabled: true });
  });
});
