/**
 * The public keys of an OIDC issuer: fetched when a token needs one that is not known, kept in memory, and never waited
 * for without end. When the issuer does not answer, the keys that it had are good for a while longer.
 */
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';

export interface IssuerKeysOptions {
  issuer: string;
  /** Where the keys are; without it, the issuer's discovery document says so. */
  jwksUrl?: string;
  /** Called when the issuer does not answer as it should. */
  onTrouble: (error: Error) => void;
  /** From one fetch to the next, for keys that are not known. A stranger may name any number of them. */
  cooldownMs?: number;
  maxAgeMs?: number;
  timeoutMs?: number;
  /** How long nobody asks an issuer that has not answered. */
  pauseMs?: number;
}

/** Thrown when the keys are needed and cannot be had now. */
export class IssuerAwayError extends Error {}

/** After this time the keys are fetched again, so that one that the issuer has withdrawn is not good for longer. */
const MAX_AGE_MS = 10 * 60_000;
/** As above, while the issuer does not answer. */
const MAX_AGE_WHILE_AWAY_MS = 24 * 60 * 60_000;
const COOLDOWN_MS = 10_000;
/** A client waits for this, once. */
const TIMEOUT_MS = 3_000;
const PAUSE_MS = 5_000;

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

export class IssuerKeys {
  private opening?: Promise<RemoteKeys>;
  private last?: { text: string; at: number };
  private trouble?: { error: IssuerAwayError; at: number };

  constructor(private readonly options: IssuerKeysOptions) {}

  /** For `jwtVerify`. @throws IssuerAwayError */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    this.opening ??= this.open();
    const keys = await this.opening.catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    try {
      return await keys(header, token);
    } catch (error) {
      // The issuer may have this key by now.
      if (this.trouble && error instanceof errors.JWKSNoMatchingKey) throw this.trouble.error;
      throw error;
    }
  };

  private async open(): Promise<RemoteKeys> {
    const { jwksUrl, cooldownMs = COOLDOWN_MS, maxAgeMs = MAX_AGE_MS, timeoutMs = TIMEOUT_MS } = this.options;
    return createRemoteJWKSet(new URL(jwksUrl ?? (await this.discovered(timeoutMs))), {
      timeoutDuration: timeoutMs,
      cooldownDuration: cooldownMs,
      cacheMaxAge: maxAgeMs,
      [customFetch]: async (url, { signal }) => new Response(await this.keysAt(url, signal)),
    });
  }

  private async discovered(timeoutMs: number): Promise<string> {
    const { issuer } = this.options;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const text = await this.fetched(url, AbortSignal.timeout(timeoutMs), (body) => {
      if (body['issuer'] !== issuer) throw new Error('its discovery document names another issuer');
      if (!URL.canParse(String(body['jwks_uri']))) throw new Error('its discovery document names no jwks_uri');
    });
    return (JSON.parse(text) as { jwks_uri: string }).jwks_uri;
  }

  /** The keys as the issuer has them, or as it had them. */
  private async keysAt(url: string, signal: AbortSignal): Promise<string> {
    try {
      const text = await this.fetched(url, signal, (body) => {
        if (!Array.isArray(body['keys'])) throw new Error('its answer has no keys');
      });
      this.last = { text, at: performance.now() };
      return text;
    } catch (error) {
      if (this.last && performance.now() - this.last.at < MAX_AGE_WHILE_AWAY_MS) return this.last.text;
      throw error;
    }
  }

  /** Its text, when it is what `check` expects. @throws IssuerAwayError */
  private async fetched(url: string, signal: AbortSignal, check: (body: Record<string, unknown>) => void) {
    const { pauseMs = PAUSE_MS, onTrouble } = this.options;
    if (this.trouble && performance.now() - this.trouble.at < pauseMs) throw this.trouble.error;
    try {
      const response = await fetch(url, { signal, redirect: 'manual', headers: { accept: 'application/json' } });
      if (response.status !== 200) throw new Error(`it answered with status ${response.status}`);
      const text = await response.text();
      check(JSON.parse(text) as Record<string, unknown>);
      this.trouble = undefined;
      return text;
    } catch (cause) {
      const error = new IssuerAwayError(`the issuer does not answer as it should: ${(cause as Error).message}`, {
        cause,
      });
      this.trouble = { error, at: performance.now() };
      onTrouble(error);
      throw error;
    }
  }
}
