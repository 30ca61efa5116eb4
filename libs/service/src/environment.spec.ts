import 'reflect-metadata';
import { Port, PostgresUrl, readEnvironment, ServiceEnvironment } from './index';

class ShopEnvironment extends ServiceEnvironment {
  @Port() SHOP_PORT = 3000;
  @PostgresUrl() SHOP_DATABASE_URL: string;
}

const complete = {
  NATS_URL: 'nats://127.0.0.1:4222',
  API_KEYS: 'k=t/p:customer',
  SHOP_DATABASE_URL: 'postgres://u:p@127.0.0.1:5432/shop',
};

describe('R54 an issuer', () => {
  const OIDC_ISSUER = 'https://login.example/realm';

  it('R54 has its usual claims, unless the environment says otherwise', () => {
    const read = readEnvironment(ShopEnvironment, {
      ...complete,
      OIDC_ISSUER,
      OIDC_AUDIENCE: 'shop',
      OIDC_ROLES_CLAIM: 'x',
    });
    expect(read).toMatchObject({ OIDC_TENANT_CLAIM: 'tenant', OIDC_ROLES_CLAIM: 'x', OIDC_PRINCIPAL_CLAIM: 'sub' });
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ OIDC_ISSUER }, /OIDC_AUDIENCE is missing/],
    [{ OIDC_ISSUER: 'login.example', OIDC_AUDIENCE: 'shop' }, /OIDC_ISSUER must look like/],
    [{ OIDC_ISSUER, OIDC_AUDIENCE: 'shop', OIDC_JWKS_URL: 'keys' }, /OIDC_JWKS_URL must look like/],
  ])('R54 is refused half, or where nobody can ask it: %j', (env, fault) => {
    expect(() => readEnvironment(ShopEnvironment, { ...complete, ...env })).toThrow(fault);
  });
});

describe('readEnvironment', () => {
  it('fills in the defaults and reads numbers', () => {
    expect(readEnvironment(ShopEnvironment, { ...complete, SHOP_PORT: '4000' })).toMatchObject({
      SHOP_PORT: 4000,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
    });
  });

  it('takes an empty variable for an absent one', () => {
    expect(readEnvironment(ShopEnvironment, { ...complete, SHOP_PORT: '' }).SHOP_PORT).toBe(3000);
  });

  it('R54 refuses an address that does not say who is checked, without repeating its password', () => {
    const url = 'postgres://u:s3cret@127.0.0.1:5432/shop?sslmode=require';
    const read = () => readEnvironment(ShopEnvironment, { ...complete, SHOP_DATABASE_URL: url });
    expect(read).toThrow('SHOP_DATABASE_URL may say sslmode=verify-full or sslmode=disable');
    expect(read).not.toThrow('s3cret');
  });

  it('names every missing and wrong variable at once', () => {
    const read = () => readEnvironment(ShopEnvironment, { SHOP_PORT: 'http', LOG_LEVEL: 'loud', NATS_URL: 'nowhere' });
    for (const name of ['NATS_URL', 'API_KEYS is missing', 'SHOP_DATABASE_URL is missing', 'SHOP_PORT', 'LOG_LEVEL']) {
      expect(read).toThrow(new RegExp(name));
    }
  });
});
