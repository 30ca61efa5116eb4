/** The secrets that the payment provider signs its events with. */
import { unfitWebhookSecrets, type WebhookSecretSettings } from '@shop/service';

interface Settings {
  STRIPE_WEBHOOK_SECRETS?: string;
  STRIPE_WEBHOOK_SECRETS_FILE?: string;
}

export const stripeSecrets = (given: Settings): WebhookSecretSettings => ({
  variable: 'STRIPE_WEBHOOK_SECRETS',
  list: given.STRIPE_WEBHOOK_SECRETS,
  file: given.STRIPE_WEBHOOK_SECRETS_FILE,
});

/** The simulated provider sends no events, and who only migrates takes none. */
export function unfitStripeSecrets(given: Settings & { PAYMENT_PROVIDER: string; MIGRATE: string }): string[] {
  const takesEvents = given.PAYMENT_PROVIDER === 'stripe' && given.MIGRATE !== 'only';
  return takesEvents ? unfitWebhookSecrets(stripeSecrets(given), 'the provider') : [];
}
