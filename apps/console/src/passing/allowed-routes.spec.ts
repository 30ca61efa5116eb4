import { allowedRoute, routes } from './allowed-routes';

const ID = '01a20621-a6cd-74b9-a1c3-459d717a98c4';

describe('R49 R54 the page', () => {
  it.each([
    ['order', 'GET', '/sagas', '/sagas'],
    ['order', 'GET', `/sagas/${ID}`, '/sagas/:'],
    ['order', 'GET', '/sagas/live', '/sagas/live'],
    ['order', 'POST', `/sagas/${ID}/acts`, '/sagas/:/acts'],
    ['order', 'PUT', '/saga-holds/place-order/charge', '/saga-holds/:/:'],
    ['payment', 'GET', '/payments/pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM', '/payments/:'],
    ['fulfilment', 'POST', `/dead-letters/${ID}/replay`, '/dead-letters/:/replay'],
    ['payment', 'GET', '/dead-letters/groups', '/dead-letters/groups'],
    ['payment', 'POST', '/dead-letter-batches', '/dead-letter-batches'],
    ['inventory', 'GET', `/dead-letter-batches/${ID}/rows`, '/dead-letter-batches/:/rows'],
    ['order', 'DELETE', `/dead-letter-batches/${ID}`, '/dead-letter-batches/:'],
  ])('asks %s %s %s', (service, method, path, pattern) => {
    expect(allowedRoute(service, method, path)?.path).toBe(pattern);
  });

  it.each([
    ['another service', 'sandbox', 'GET', '/sagas'],
    ['another method', 'order', 'DELETE', `/sagas/${ID}`],
    ['keys', 'order', 'GET', '/api-keys'],
    ['erasures', 'order', 'POST', '/erasures/customer'],
    ['a new order', 'order', 'POST', '/orders'],
    ['a payment', 'payment', 'POST', '/payments'],
    ['a batch to be changed', 'payment', 'PUT', `/dead-letter-batches/${ID}`],
    ['what is behind a dot', 'order', 'GET', '/sagas/..'],
    ['what is behind an encoded dot', 'order', 'GET', '/sagas/%2e%2e'],
    ['what is behind an encoded slash', 'order', 'GET', '/sagas/x%2Fapi-keys'],
    ['what is encoded twice', 'order', 'GET', '/sagas/%252e%252e'],
    ['an empty part', 'order', 'GET', '/sagas/'],
    ['two slashes', 'order', 'GET', '//sagas'],
    ['no path', 'order', 'GET', 'sagas'],
    ['more than there is', 'order', 'GET', `/sagas/${ID}/acts/1`],
  ])('does not ask for %s', (_, service, method, path) => {
    expect(allowedRoute(service, method, path)).toBeUndefined();
  });

  it('streams only what has no end', () => {
    expect(routes.filter(({ streams }) => streams).map(({ path }) => path)).toEqual(['/sagas/live']);
  });
});
