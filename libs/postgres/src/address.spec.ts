import { clientConfigOf, connectTimeoutMsOf, faultOfDatabaseUrl, isInTheClear, userOf } from './address';

const URL_OF = (search: string) => `postgres://till:p%40ss@db:5433/shop${search}`;

describe('the address of a database', () => {
  it('gives the driver all of its parts, and no way to fall back to the environment of the process for TLS', () => {
    expect(clientConfigOf({ url: URL_OF('?application_name=x&options=-c%20geqo%3Doff') })).toMatchObject({
      host: 'db',
      port: 5433,
      user: 'till',
      password: 'p@ss',
      database: 'shop',
      application_name: 'x',
      options: '-c geqo=off',
      ssl: false,
    });
  });

  it('asks for a full check with sslmode=verify-full alone', () => {
    const config = clientConfigOf({ url: URL_OF('?sslmode=verify-full') });
    expect(config.ssl).toMatchObject({ rejectUnauthorized: true });
    expect(config).not.toHaveProperty('sslmode');
  });

  it.each(['?sslmode=require', '?sslmode=prefer', '?sslmode=verify-ca', '?sslmode=no-verify', '?ssl=true', '?ssl=0'])(
    'R54 is refused with %s, because it does not say who is checked',
    (search) => {
      expect(faultOfDatabaseUrl(URL_OF(search))).toMatch(/^may say sslmode=verify-full or sslmode=disable/);
      expect(faultOfDatabaseUrl(URL_OF(search))).not.toContain('p%40ss');
    },
  );

  it.each(['', '?sslmode=disable', '?sslmode=verify-full&sslrootcert=ca.pem', '?sslnegotiation=direct'])(
    'is taken with %j',
    (search) => {
      expect(faultOfDatabaseUrl(URL_OF(search))).toBeUndefined();
    },
  );

  it.each([
    ['', 3_000],
    ['?connect_timeout=20', 20_000],
    ['?connect_timeout=60&sslmode=disable', 60_000],
  ])('R44 with %j gives up a connection in time', (search, expected) => {
    expect(connectTimeoutMsOf({ url: URL_OF(search) })).toBe(expected);
    expect(clientConfigOf({ url: URL_OF(search) })).not.toHaveProperty('connect_timeout');
  });

  it.each(['0', '61', '-1', '2.5', 'soon'])('R44 never waits for ever, as connect_timeout=%s might mean', (seconds) => {
    expect(faultOfDatabaseUrl(URL_OF(`?connect_timeout=${seconds}`))).toMatch(/^may say connect_timeout in whole/);
    expect(connectTimeoutMsOf({ url: URL_OF(`?connect_timeout=${seconds}`) })).toBe(3_000);
  });

  it('names its user, or one sentence says that it has to', () => {
    expect(userOf({ url: URL_OF('') })).toBe('till');
    expect(() => userOf({ url: 'postgres://db/shop' })).toThrow('has to name its user');
  });

  it('R54 of this machine is not in the clear, and one with files for TLS is not either', () => {
    expect(isInTheClear({ url: URL_OF('') })).toBe(true);
    expect(isInTheClear({ url: 'postgres://till@localhost/shop' })).toBe(false);
    expect(isInTheClear({ url: URL_OF(''), tls: { caFile: 'ca.pem' } })).toBe(false);
  });
});
