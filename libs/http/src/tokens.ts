/** Callers with a token (JWT) of an OIDC issuer. A token is told from an API key by its form. */
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { Problem } from '@shop/problem';
import { type Caller, isRole, PRINCIPAL, TENANT } from './api-keys';
import { IssuerAwayError, IssuerKeys, type IssuerKeysOptions } from './issuer-keys';
import { type CallerSource, cannotTell, type Credential, unauthenticated } from './who-calls';

export interface TokensOptions extends IssuerKeysOptions {
  audience: string;
  /** Where a token tells these: the name of a claim, or names with dots between them for one inside another. */
  claims: { tenant: string; roles: string; principal: string };
}

/** A header, claims and a signature, in base64url; the header is JSON, and so begins with `{"`. */
const FORM = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;
/** Only keys of which the issuer keeps one half. With a shared secret, whoever checks tokens could make them. */
const ALGORITHMS = ['RS', 'PS', 'ES'].flatMap((kind) => [`${kind}256`, `${kind}384`, `${kind}512`]);
/** Clocks of servers differ a little. */
const CLOCK_TOLERANCE_SECONDS = 10;
/** It becomes a part of longer keys. */
const MAX_PRINCIPAL_LENGTH = 200;

export class Tokens implements CallerSource {
  private readonly keys: IssuerKeys;

  constructor(private readonly options: TokensOptions) {
    this.keys = new IssuerKeys(options);
  }

  callerOf({ text }: Credential): Promise<Caller | Problem> | undefined {
    return FORM.test(text) ? this.check(text) : undefined;
  }

  private async check(token: string): Promise<Caller | Problem> {
    const { issuer, audience, claims } = this.options;
    try {
      const { payload } = await jwtVerify(token, this.keys.find, {
        issuer,
        audience,
        algorithms: [...ALGORITHMS, 'EdDSA', 'Ed25519'],
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      return callerIn(payload, claims);
    } catch (error) {
      if (error instanceof errors.JWTExpired) return unauthenticated('the token has expired');
      if (error instanceof errors.JOSEError) return unauthenticated('the token is not valid here');
      if (!(error instanceof IssuerAwayError)) this.options.onTrouble(error as Error);
      return cannotTell();
    }
  }
}

/** Who the token speaks of, or what it does not tell. */
export function callerIn(payload: JWTPayload, claims: TokensOptions['claims']): Caller | Problem {
  const tenant = claimOf(payload, claims.tenant);
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) return incomplete(`no tenant in ${claims.tenant}`);
  const principal = principalOf(claimOf(payload, claims.principal));
  if (!principal) return incomplete(`nobody in ${claims.principal}`);
  const roles = textsOf(claimOf(payload, claims.roles)).filter(isRole);
  if (roles.length === 0) return incomplete(`no role in ${claims.roles} that is known here`);
  return { tenant, principal, roles };
}

const incomplete = (what: string): Problem =>
  new Problem(403, 'token_incomplete', `the token is valid and has ${what}`);

/** A name with dots may be that of one claim, such as an address. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<unknown>((value, part) => {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, part);
    return isObject ? (value as Record<string, unknown>)[part] : undefined;
  }, payload);
}

/**
 * Issuers have subjects such as `auth0|5f7c…`. What may not be in a principal is percent-encoded, so that two subjects
 * are never one principal, and none can look like more than one part of a key.
 */
function principalOf(subject: unknown): string | undefined {
  if (typeof subject !== 'string' || subject === '') return undefined;
  if (PRINCIPAL.test(subject)) return subject;
  // Half a character cannot be encoded.
  if (/\p{Surrogate}/u.test(subject)) return undefined;
  const encoded = encodeURIComponent(subject);
  return encoded.length <= MAX_PRINCIPAL_LENGTH ? encoded : undefined;
}

/** A list, or words with spaces between them, as in `scope`. */
function textsOf(value: unknown): unknown[] {
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? (value as unknown[]) : [];
}
