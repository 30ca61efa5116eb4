/**
 * Who has sent a body: its sender signs the time and the bytes, as Stripe does, with a secret that only the two know.
 * The header reads `t=<seconds>,v1=<hex>`, and may have several `v1`.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Problem } from '@shop/problem';

/**
 * What was signed longer ago may be something that somebody has written down and sends again. A sender signs each of its own
 * repeats anew. Its clock and ours may differ by a part of this.
 */
const TOLERANCE_SECONDS = 300;
/** A sender changes its secret from one to the next. */
const MAX_SIGNATURES = 5;
/** Of every header that is one. */
const MAX_HEADER_LENGTH = 1_000;

export interface Signed {
  bytes: Buffer;
  /** The header. */
  signature: string | undefined;
  /** Seconds since 1970. The default is the time of day here. */
  nowSeconds?: number;
}

/**
 * The content, which is JSON but may be anything.
 * @throws Problem 400 `signature_invalid`, or `malformed_request` for what is signed and no JSON
 */
export function signedContent(
  { bytes, signature = '', nowSeconds = ourTime() }: Signed,
  secrets: readonly string[],
): unknown {
  const { at, signatures } = partsOf(signature);
  const isFresh = at !== undefined && Math.abs(nowSeconds - at) <= TOLERANCE_SECONDS;
  const isSigned =
    isFresh && secrets.some((secret) => signatures.some((one) => isEqual(one, sign(bytes, { secret, at }))));
  if (!isSigned) {
    const detail = `the signature is missing or wrong, or older than ${TOLERANCE_SECONDS} seconds`;
    throw new Problem(400, 'signature_invalid', detail);
  }
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw new Problem(400, 'malformed_request', 'the content is signed, and is no JSON');
  }
}

/** The header for these bytes. */
export function signatureOf(bytes: Buffer, { secret, at }: { secret: string; at: number }): string {
  return `t=${at},v1=${sign(bytes, { secret, at }).toString('hex')}`;
}

const ourTime = (): number => (performance.timeOrigin + performance.now()) / 1_000;

function sign(bytes: Buffer, { secret, at }: { secret: string; at: number }): Buffer {
  return createHmac('sha256', secret).update(`${at}.`).update(bytes).digest();
}

function partsOf(header: string): { at?: number; signatures: Buffer[] } {
  const parts = header.slice(0, MAX_HEADER_LENGTH).split(',');
  const valuesOf = (name: string) =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
  const [at] = valuesOf('t').filter((text) => /^\d{1,12}$/.test(text));
  const signatures = valuesOf('v1').filter((text) => /^[0-9a-f]{64}$/.test(text));
  return {
    at: at === undefined ? undefined : Number(at),
    signatures: signatures.slice(0, MAX_SIGNATURES).map((hex) => Buffer.from(hex, 'hex')),
  };
}

const isEqual = (one: Buffer, other: Buffer): boolean => one.length === other.length && timingSafeEqual(one, other);
