/** The secrets that the provider signs its events with. There are two of them while one is replaced by the next. */
import { readFileSync } from 'node:fs';
import { applyDecorators } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { IsOptional, ValidateBy } from 'class-validator';

export interface WebhookSecretSettings {
  /** With commas between them. Without any, no event is taken. */
  STRIPE_WEBHOOK_SECRETS?: string;
  /** A file whose content is the list. It is the stronger one. */
  STRIPE_WEBHOOK_SECRETS_FILE?: string;
}

/** So begin the secrets of our own examples. */
const OF_DEVELOPMENT = 'whsec_development';
const SECRET = /^\S{16,200}$/;
/** Each of them costs a hash of the body of whoever sends one. */
const MAX_SECRETS = 5;
/** How long a file that has changed may be unnoticed. */
const READ_AGAIN_MS = 1_000;

/** The message never repeats a secret. */
export const IsWebhookSecrets = () =>
  applyDecorators(
    IsOptional(),
    ValidateBy({
      name: 'isWebhookSecrets',
      validator: {
        validate: (value) => secretsIn(value as string) !== undefined,
        defaultMessage: () => FAULT,
      },
    }),
  );

const FAULT = `must list 1 to ${MAX_SECRETS} secrets of at least 16 characters`;

export class WebhookSecrets {
  private known: readonly string[];
  private readAt = performance.now();

  /** @throws Error in one sentence when the file cannot be read or is no list of secrets */
  constructor(
    private readonly settings: WebhookSecretSettings,
    private readonly logger: Logger,
  ) {
    this.known = listIn(settings);
  }

  /** Empty when none is configured. While the file cannot be read, it is the list that was read before. */
  current(): readonly string[] {
    if (this.settings.STRIPE_WEBHOOK_SECRETS_FILE === undefined) return this.known;
    if (performance.now() - this.readAt < READ_AGAIN_MS) return this.known;
    this.readAt = performance.now();
    try {
      this.known = listIn(this.settings);
    } catch (error) {
      this.logger.error({ reason: (error as Error).message }, 'provider_event.secrets.unreadable');
    }
    return this.known;
  }
}

/** Why a service must not start in production with these secrets, one reason each. */
export function unfitWebhookSecrets(
  settings: WebhookSecretSettings & { PAYMENT_PROVIDER: string; MIGRATE: string },
): string[] {
  // The simulated provider sends no events, and who only migrates takes none.
  if (settings.PAYMENT_PROVIDER !== 'stripe' || settings.MIGRATE === 'only') return [];
  const secrets = listIn(settings);
  if (secrets.length === 0) {
    return ['STRIPE_WEBHOOK_SECRETS is missing, and without it no event of the provider can be believed'];
  }
  const isKnown = secrets.some((secret) => secret.startsWith(OF_DEVELOPMENT));
  return isKnown ? ['STRIPE_WEBHOOK_SECRETS has a secret of development'] : [];
}

function listIn({ STRIPE_WEBHOOK_SECRETS, STRIPE_WEBHOOK_SECRETS_FILE: file }: WebhookSecretSettings): string[] {
  if (file === undefined) return STRIPE_WEBHOOK_SECRETS === undefined ? [] : secretsIn(STRIPE_WEBHOOK_SECRETS)!;
  const secrets = secretsIn(contentOf(file));
  if (!secrets) throw operatorsError(`the file ${file} ${FAULT}`);
  return secrets;
}

function secretsIn(text: string): string[] | undefined {
  const secrets = text
    .split(',')
    .map((secret) => secret.trim())
    .filter(Boolean);
  const isList = secrets.length > 0 && secrets.length <= MAX_SECRETS && secrets.every((secret) => SECRET.test(secret));
  return isList ? secrets : undefined;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw operatorsError(`the file ${file} of STRIPE_WEBHOOK_SECRETS_FILE cannot be read (${code})`);
  }
}

/** With a code, the process ends with this sentence and no stack. */
const operatorsError = (sentence: string): Error => Object.assign(new Error(sentence), { code: 'WEBHOOK_SECRETS' });
