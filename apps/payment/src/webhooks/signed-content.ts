/** Finds out whether the provider has signed what came, with Stripe's own SDK. */
import { Problem } from '@shop/problem';
import Stripe from 'stripe';

/**
 * An event that was signed longer ago may be one that somebody has written down and sends again. The provider signs each
 * of its own repeats anew. Its clock and ours may differ by a part of this.
 */
const TOLERANCE_SECONDS = 300;

/**
 * The content, which is JSON but may be anything.
 * @throws Problem 400 `signature_invalid`, or `malformed_request` for what is signed and no JSON
 */
export function contentIn(bytes: Buffer, signature: string | undefined, secrets: readonly string[]): unknown {
  for (const secret of secrets) {
    try {
      return Stripe.webhooks.constructEvent(bytes, signature ?? '', secret, TOLERANCE_SECONDS);
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) continue;
      throw new Problem(400, 'malformed_request', 'the content is signed, and is no event in JSON');
    }
  }
  // The error of the SDK has the content in it, so it goes no further.
  throw new Problem(
    400,
    'signature_invalid',
    `the signature is missing or wrong, or older than ${TOLERANCE_SECONDS} seconds`,
  );
}
