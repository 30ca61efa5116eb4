/** What is fine on the machine of a developer, and with which no service starts in production. */
import { weaknessesOf } from '@shop/http';
import { type DatabaseAddress, isInTheClear } from '@shop/postgres';
import type { DatabaseSettings } from './open-database';

export const PRODUCTION = 'production';

/** Passwords that everybody tries first; the first one is that of our own examples. */
const WELL_KNOWN = ['shop', 'postgres', 'password', 'admin', 'root', 'secret', 'changeme', 'test', 'example', '123456'];

/** So begin the passwords of docker-compose. */
const OF_DEVELOPMENT = 'dev-';

/** One reason each. */
export const unfitForProduction = (apiKeys: string): string[] => weaknessesOf(apiKeys);

/** The variables are named after the service. */
export function unfitForTheDatabase(
  service: string,
  { everyday, migrator }: Pick<DatabaseSettings, 'everyday' | 'migrator'>,
): string[] {
  const reasons = (what: string, address: DatabaseAddress | undefined): string[] =>
    address ? unfitAddress(`${service.toUpperCase()}_${what}`, address) : [];
  return [...reasons('DATABASE_URL', everyday), ...reasons('MIGRATION_DATABASE_URL', migrator)];
}

function unfitAddress(variable: string, address: DatabaseAddress): string[] {
  const isKnown = address.passwordFile === undefined && hasWellKnownPassword(address.url);
  return [
    ...(isKnown ? [`${variable} has a password that everybody knows`] : []),
    ...(isInTheClear(address)
      ? [
          `${variable} goes over a network without TLS; set sslmode=verify-full, or say that it is meant: sslmode=disable`,
        ]
      : []),
  ];
}

/** Without any, the broker knows its clients in another way, or not at all. */
export function unfitForTheBroker({ NATS_PASSWORD }: { NATS_PASSWORD?: string }): string[] {
  return NATS_PASSWORD?.startsWith(OF_DEVELOPMENT) ? ['NATS_PASSWORD is one of development'] : [];
}

/** Over plain HTTP, whoever stands between could say which keys are those of the issuer. */
export function unfitForTokens(given: { OIDC_ISSUER?: string; OIDC_JWKS_URL?: string }): string[] {
  const names = ['OIDC_ISSUER', 'OIDC_JWKS_URL'] as const;
  return names.filter((name) => given[name]?.startsWith('http:')).map((name) => `${name} is not https`);
}

/** The password may also be a parameter of the address. Without any, the database knows its clients in another way. */
function hasWellKnownPassword(databaseUrl: string): boolean {
  if (!URL.canParse(databaseUrl)) return false;
  const { username, password, searchParams } = new URL(databaseUrl);
  const given = searchParams.get('password') ?? decodeURIComponent(password);
  const isKnown = WELL_KNOWN.includes(given.toLowerCase()) || given.startsWith(OF_DEVELOPMENT);
  return given !== '' && (given === decodeURIComponent(username) || isKnown);
}

/** The document of the API tells strangers what there is, so that in production it has to be asked for. */
export function showsDocs({ NODE_ENV, API_DOCS }: { NODE_ENV: string; API_DOCS?: 'on' | 'off' }): boolean {
  return API_DOCS === undefined ? NODE_ENV !== PRODUCTION : API_DOCS === 'on';
}
