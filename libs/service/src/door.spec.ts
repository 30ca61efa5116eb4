import 'reflect-metadata';
import { Port, PostgresUrl, readEnvironment, ServiceEnvironment } from './index';
import { doorOf, unfitDoor } from './door';

class ShopEnvironment extends ServiceEnvironment {
  @Port() SHOP_PORT = 3000;
  @PostgresUrl() SHOP_DATABASE_URL: string;
}

const read = (variables: Record<string, string>) =>
  readEnvironment(ShopEnvironment, {
    NATS_URL: 'nats://127.0.0.1:4222',
    API_KEYS: 'k=t/p:customer',
    SHOP_DATABASE_URL: 'postgres://u:p@127.0.0.1:5432/shop',
    ...variables,
  });

describe('R54 the door of a service', () => {
  it('R54 lets in no page, and limits strangers only, on the machine of a developer', () => {
    expect(doorOf(read({}))).toEqual({
      origins: [],
      limits: { principal: 0, tenant: 0, stranger: 600 },
      hstsSeconds: 0,
      trustedProxies: [],
    });
  });

  it('R54 limits every caller in production, unless it is told not to', () => {
    expect(doorOf(read({ NODE_ENV: 'production' })).limits).toEqual({
      principal: 30_000,
      tenant: 60_000,
      stranger: 600,
    });
    const told = { RATE_LIMIT_PRINCIPAL: '0', RATE_LIMIT_TENANT: '5', RATE_LIMIT_STRANGERS: '0' };
    expect(doorOf(read({ NODE_ENV: 'production', ...told })).limits).toEqual({ principal: 0, tenant: 5, stranger: 0 });
  });

  it('R54 reads lists', () => {
    const lists = { CORS_ORIGINS: 'https://shop.example,http://localhost:8080', TRUSTED_PROXIES: '10.0.0.0/8' };
    expect(doorOf(read({ ...lists, HSTS_SECONDS: '60' }))).toMatchObject({
      origins: ['https://shop.example', 'http://localhost:8080'],
      hstsSeconds: 60,
      trustedProxies: ['10.0.0.0/8'],
    });
  });

  it.each([
    [{ CORS_ORIGINS: 'shop.example' }, /CORS_ORIGINS must list origins such as/],
    [{ TRUSTED_PROXIES: 'proxy' }, /TRUSTED_PROXIES must list addresses or networks/],
    [{ RATE_LIMIT_TENANT: 'many' }, /RATE_LIMIT_TENANT must be a whole number, 0 for none$/],
    [{ RATE_LIMIT_STRANGERS: '-1' }, /RATE_LIMIT_STRANGERS must be a whole number/],
  ])('R54 is not opened with %j', (variables, fault) => {
    expect(() => read(variables as unknown as Record<string, string>)).toThrow(fault);
  });

  it('R54 is not open to any page in production', () => {
    expect(unfitDoor({ CORS_ORIGINS: 'https://shop.example' })).toEqual([]);
    expect(unfitDoor({ CORS_ORIGINS: 'https://shop.example,*' })).toEqual(['CORS_ORIGINS has *, which is any page']);
  });
});
