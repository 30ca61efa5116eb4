/** The variables in which the services differ: whom each asks, and what stands for the world outside. */
import { randomBytes } from 'node:crypto';
import { DEVELOPMENT_WEBHOOK_SECRET } from './development-key';
import type { ServiceName } from './services';

type Variables = Record<string, string>;

export interface Surroundings {
  provider: 'sandbox' | 'simulated';
  /** Those of the first process of each service. */
  ports: Record<ServiceName, number>;
  /** Where the sandbox keeps its books. */
  sandboxFile: string;
  /** Where the sandbox takes mails. */
  smtpPort: number;
}

/** Who reads at whom. */
const asks: Partial<Record<ServiceName, readonly ServiceName[]>> = {
  order: ['inventory', 'payment', 'fulfilment'],
  payment: ['order'],
  fulfilment: ['order'],
};

/** Of this process alone: no person ever needs them. */
const keys = Object.fromEntries(Object.keys(asks).map((name) => [name, randomBytes(24).toString('hex')]));

export const urlOf = (port: number): string => `http://127.0.0.1:${port}`;

export function variablesOfEach(given: Surroundings): Partial<Record<ServiceName, Variables>> {
  const { provider, ports } = given;
  const neighbours = (name: ServiceName): Variables => ({
    ...Object.fromEntries(asks[name]!.map((other) => [`${other.toUpperCase()}_URL`, urlOf(ports[other])])),
    NEIGHBOUR_KEY: keys[name]!,
  });
  const outside = urlOf(ports.sandbox);
  return {
    order: neighbours('order'),
    payment: {
      ...neighbours('payment'),
      TAX_URL: `${outside}/tax`,
      TAX_API_KEY: 'tax_test_sandbox',
      ...(provider === 'simulated' ? { PAYMENT_PROVIDER: 'simulated' } : stripeAt(outside, ports)),
    },
    fulfilment: {
      ...neighbours('fulfilment'),
      SMTP_URL: `smtp://127.0.0.1:${given.smtpPort}`,
      MAIL_FROM: 'Shop <orders@shop.example>',
      CARRIER_URL: outside,
      CARRIER_API_KEY: 'carrier_test_sandbox',
      CARRIER_WEBHOOK_SECRETS: DEVELOPMENT_WEBHOOK_SECRET,
    },
    sandbox: sandbox(given),
  };
}

/** The keys of those who ask this service are added to the keys that it knows. */
export function withKeysOfNeighbours(name: ServiceName, env: Variables): Variables {
  const known = Object.entries(asks).flatMap(([asker, asked]) =>
    asked.includes(name) ? [`${keys[asker]!}=platform/${asker}:service`] : [],
  );
  return known.length === 0 ? env : { ...env, API_KEYS: [env['API_KEYS'], ...known].join() };
}

const stripeAt = (outside: string, ports: Surroundings['ports']): Variables => ({
  PAYMENT_PROVIDER: 'stripe',
  STRIPE_API_KEY: 'sk_test_sandbox',
  STRIPE_BASE_URL: outside,
  STRIPE_WEBHOOK_SECRETS: DEVELOPMENT_WEBHOOK_SECRET,
  // Where customers come back from the page of their bank.
  PAYMENT_RETURN_URL: `${urlOf(ports.order)}/docs`,
});

function sandbox({ provider, ports, sandboxFile, smtpPort }: Surroundings): Variables {
  const events = {
    SANDBOX_WEBHOOK_URL: `${urlOf(ports.payment)}/webhooks/stripe`,
    SANDBOX_WEBHOOK_SECRET: DEVELOPMENT_WEBHOOK_SECRET,
  };
  return {
    LOG_LEVEL: 'warn',
    SANDBOX_FILE: sandboxFile,
    SANDBOX_SMTP_PORT: String(smtpPort),
    SANDBOX_CARRIER_WEBHOOK_URL: `${urlOf(ports.fulfilment)}/webhooks/carrier`,
    SANDBOX_CARRIER_WEBHOOK_SECRET: DEVELOPMENT_WEBHOOK_SECRET,
    ...(provider === 'simulated' ? {} : events),
  };
}
