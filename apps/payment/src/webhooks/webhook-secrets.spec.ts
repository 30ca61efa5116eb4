import { unfitStripeSecrets } from './webhook-secrets';

const secret = 'whsec_0123456789abcdef';

describe('R57 the secrets of the provider', () => {
  it.each([
    [{}, 1],
    [{ STRIPE_WEBHOOK_SECRETS: 'whsec_development' }, 1],
    [{ STRIPE_WEBHOOK_SECRETS: secret }, 0],
    [{ PAYMENT_PROVIDER: 'simulated' }, 0],
    [{ MIGRATE: 'only' }, 0],
  ])('R57 have to be there in production, and not those of development: %j', (settings, reasons) => {
    const found = unfitStripeSecrets({ PAYMENT_PROVIDER: 'stripe', MIGRATE: 'never', ...settings });
    expect(found).toHaveLength(reasons);
  });
});
