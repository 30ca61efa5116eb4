/** The environment as one checked class. Every service adds its own variables. */
import { parseApiKeys, parseOrigins, parseProxies } from '@shop/http';
import { logLevels, type LogFormat, type LogLevel } from '@shop/observability';
import { faultOfDatabaseUrl } from '@shop/postgres';
import { type Fault, validate } from '@shop/validation';
import { Transform } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
} from 'class-validator';
import { applyDecorators } from '@nestjs/common';

/** A TCP port; 0 takes any free port. */
export const Port = () => applyDecorators(AsNumber(), IsInt({ message: 'must be a port number' }), Min(0), Max(65_535));

/** How many of something, at least 1. */
export const Count = () =>
  applyDecorators(AsNumber(), IsInt({ message: 'must be a whole number' }), Min(1), Max(1_000_000));

const AsNumber = () =>
  Transform(({ value }) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : (value as unknown)));

const isCount = { message: 'must be a whole number, 0 for none' };
const CountOrNone = () => applyDecorators(AsNumber(), IsInt(isCount), Min(0, isCount));

/** An address with a host, and nothing behind it that is not part of it. */
export const HttpUrl = () => Matches(/^https?:\/\/[^\s?#]+$/, { message: 'must look like https://host/path' });

const isPostgresUrl = { message: 'must look like postgres://user:password@host:port/database' };
export const PostgresUrl = () =>
  applyDecorators(Matches(/^postgres(ql)?:\/\/\S+\/\S+$/, isPostgresUrl), SaysHowToEncrypt());

const SaysHowToEncrypt = () =>
  ValidateBy({
    name: 'saysHowToEncrypt',
    validator: {
      validate: (value) => typeof value !== 'string' || faultOfDatabaseUrl(value) === undefined,
      defaultMessage: (asked) => faultOfDatabaseUrl(String(asked?.value)) ?? '',
    },
  });

/** Uses the error message of the parser, which never repeats a key. */
const IsReadBy = (parse: (text: string) => unknown) =>
  ValidateBy({
    name: 'isReadBy',
    validator: {
      validate: (value) => faultOf(parse, value) === undefined,
      defaultMessage: (asked) => faultOf(parse, asked?.value) ?? '',
    },
  });

function faultOf(parse: (text: string) => unknown, value: unknown): string | undefined {
  try {
    parse(typeof value === 'string' ? value : '');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The variables that every process needs. */
export class ProcessEnvironment {
  /** With `production`, a service does not start with what is for development only. */
  @IsString() @IsNotEmpty() NODE_ENV = 'development';
  /** Whether the page and the document of the API are shown; not in production, unless it says so. */
  @IsOptional() @IsIn(['on', 'off']) API_DOCS?: 'on' | 'off';
  /** The address to listen on; 0.0.0.0 in a container. */
  @IsString() @IsNotEmpty() HOST = '127.0.0.1';
  /** The port of the metrics and of the reasons of the readiness, and the address that it is on. */
  @Port() MANAGEMENT_PORT = 0;
  @IsString() @IsNotEmpty() MANAGEMENT_HOST = '127.0.0.1';
  @IsIn(logLevels) LOG_LEVEL: LogLevel = 'info';
  @IsIn(['json', 'pretty']) LOG_FORMAT: LogFormat = 'json';
  /** Before a stop, the time in which the service is not ready and still takes requests. */
  @AsNumber() @IsInt() @Min(0) @Max(60_000) STOP_GRACE_MS = 3_000;
}

/** The other variables that every service needs. */
export class ServiceEnvironment extends ProcessEnvironment {
  /** Who migrates the database: the service at its start, or this process alone, which then ends, or somebody else. */
  @IsIn(['start', 'only', 'never']) MIGRATE: 'start' | 'only' | 'never' = 'start';
  /** With one of them, or with `sslmode=verify-full` in the address, every connection to the database is encrypted. */
  @IsOptional() @IsString() DATABASE_CA_FILE?: string;
  @IsOptional() @IsString() DATABASE_CERT_FILE?: string;
  @IsOptional() @IsString() DATABASE_KEY_FILE?: string;
  @Matches(/^(nats|tls):\/\/\S+$/, { message: 'must look like nats://host:port' }) NATS_URL: string;
  /** The name of the service in the permissions of the broker. */
  @IsOptional() @IsString() NATS_USER?: string;
  @IsOptional() @IsString() NATS_PASSWORD?: string;
  @IsOptional() @IsString() NATS_PASSWORD_FILE?: string;
  /** A token and a key, as `nsc` makes it. */
  @IsOptional() @IsString() NATS_CREDENTIALS_FILE?: string;
  @IsOptional() @IsString() NATS_CA_FILE?: string;
  @IsOptional() @IsString() NATS_CERT_FILE?: string;
  @IsOptional() @IsString() NATS_KEY_FILE?: string;
  /** `key=tenant/principal:role+role`, separated by commas. The key may be `sha256:` and its hex hash. */
  @IsReadBy(parseApiKeys) API_KEYS: string;
  /** The origins whose pages may ask from a browser, separated by commas. */
  @IsReadBy(parseOrigins) CORS_ORIGINS = '';
  /** Requests a minute that this replica serves; 0 is no limit. Without a value: see `doorOf`. */
  @IsOptional() @CountOrNone() RATE_LIMIT_PRINCIPAL?: number;
  @IsOptional() @CountOrNone() RATE_LIMIT_TENANT?: number;
  /** Requests a minute that one address may send with bad keys. */
  @CountOrNone() RATE_LIMIT_STRANGERS = 600;
  /** For so long browsers ask by HTTPS only; 0 where nothing before the service speaks HTTPS. */
  @CountOrNone() HSTS_SECONDS = 0;
  /** Addresses and networks of proxies that tell, in X-Forwarded-For, who has asked. */
  @IsReadBy(parseProxies) TRUSTED_PROXIES = '';
  /** The OIDC issuer whose tokens are good here, as it calls itself; and the name of these services in its tokens. */
  @IsOptional() @HttpUrl() OIDC_ISSUER?: string;
  @ValidateIf(({ OIDC_ISSUER }: ServiceEnvironment) => OIDC_ISSUER !== undefined)
  @IsString()
  OIDC_AUDIENCE: string;
  @IsOptional() @HttpUrl() OIDC_JWKS_URL?: string;
  /** The claims of a token that tell these. With dots, one claim is inside another. */
  @IsString() OIDC_TENANT_CLAIM = 'tenant';
  @IsString() OIDC_ROLES_CLAIM = 'roles';
  @IsString() OIDC_PRINCIPAL_CLAIM = 'sub';
}

/** Reads the variables that the class declares. @throws Error that lists every fault, one a line */
export function readEnvironment<T extends object>(type: new () => T, env: NodeJS.ProcessEnv): T {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const read = validate(type, given, { unknownProperties: 'drop' });
  if (read.ok) return read.value;
  const lines = read.faults.map((fault) => lineOf(fault, given));
  throw new Error(`the environment is not complete:\n${lines.join('\n')}`);
}

function lineOf({ path, message }: Fault, given: Record<string, string | undefined>): string {
  return `  ${path} ${given[path] === undefined ? 'is missing; it ' : ''}${message.replace(`${path} `, '')}`;
}
