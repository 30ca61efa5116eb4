/** The secrets that somebody outside signs its events with. There are two of them while one is replaced by the next. */
import { applyDecorators } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { IsOptional, ValidateBy } from 'class-validator';
import { operatorsError, secretIn } from '../secret-file';

export interface WebhookSecretSettings {
  /** The variable of the list. That of its file has the same name with `_FILE` behind it. */
  variable: string;
  /** With commas between them. Without any, no event is taken. */
  list?: string;
  /** A file whose content is the list. It is the stronger one. */
  file?: string;
}

const CODE = 'WEBHOOK_SECRETS';
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
    if (this.settings.file === undefined) return this.known;
    if (performance.now() - this.readAt < READ_AGAIN_MS) return this.known;
    this.readAt = performance.now();
    try {
      this.known = listIn(this.settings);
    } catch (error) {
      const { variable } = this.settings;
      this.logger.error({ variable, reason: (error as Error).message }, 'webhook.secrets.unreadable');
    }
    return this.known;
  }
}

/** Why a service must not start in production with these secrets, one reason each. @param of whose events they are */
export function unfitWebhookSecrets(settings: WebhookSecretSettings, of: string): string[] {
  const secrets = listIn(settings);
  const { variable } = settings;
  if (secrets.length === 0) return [`${variable} is missing, and without it no event of ${of} can be believed`];
  const isKnown = secrets.some((secret) => secret.startsWith(OF_DEVELOPMENT));
  return isKnown ? [`${variable} has a secret of development`] : [];
}

function listIn({ variable, list, file }: WebhookSecretSettings): string[] {
  if (file === undefined) return list === undefined ? [] : secretsIn(list)!;
  const secrets = secretsIn(secretIn(file, { variable: `${variable}_FILE`, code: CODE }));
  if (!secrets) throw operatorsError(CODE, `the file ${file} ${FAULT}`);
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
