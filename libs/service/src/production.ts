/** What is fine on the machine of a developer, and with which no service starts in production. */
import { weaknessesOf } from '@shop/http';

export const PRODUCTION = 'production';

/** Passwords that everybody tries first; the first one is that of our own examples. */
const WELL_KNOWN = ['shop', 'postgres', 'password', 'admin', 'root', 'secret', 'changeme', 'test', 'example', '123456'];

/** One reason each. `variable` is the name of that of the database. */
export function unfitForProduction(apiKeys: string, variable: string, databaseUrl: string): string[] {
  const weak = hasWellKnownPassword(databaseUrl) ? [`${variable} has a password that everybody knows`] : [];
  return [...weaknessesOf(apiKeys), ...weak];
}

/** Those of docker-compose begin with `dev-`. Without any, the broker knows its clients in another way, or not at all. */
export function unfitForTheBroker({ NATS_PASSWORD }: { NATS_PASSWORD?: string }): string[] {
  return NATS_PASSWORD?.startsWith('dev-') ? ['NATS_PASSWORD is one of development'] : [];
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
  return given !== '' && (given === decodeURIComponent(username) || WELL_KNOWN.includes(given.toLowerCase()));
}

/** The document of the API tells strangers what there is, so that in production it has to be asked for. */
export function showsDocs({ NODE_ENV, API_DOCS }: { NODE_ENV: string; API_DOCS?: 'on' | 'off' }): boolean {
  return API_DOCS === undefined ? NODE_ENV !== PRODUCTION : API_DOCS === 'on';
}
