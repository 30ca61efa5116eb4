/** The settings of mails: where the mail server is, who is the sender, and what production does not take. */
import { applyDecorators } from '@nestjs/common';
import { operatorsError, secretIn } from '@shop/service';
import { IsOptional, Matches, MaxLength } from 'class-validator';
import type { DeliveryMode } from './verdict';

export interface MailSettings {
  /** Without it mails wait. */
  SMTP_URL?: string;
  SMTP_PASSWORD_FILE?: string;
  MAIL_FROM: string;
  MAIL_DELIVERY: DeliveryMode;
  MAIL_PER_SECOND: number;
}

export const DEVELOPMENT_FROM = 'Shop <shop@shop.example>';

export const SmtpUrl = () =>
  applyDecorators(
    IsOptional(),
    Matches(/^smtps?:\/\/[^\s#/]+(\/?(\?\S*)?)?$/, { message: 'must look like smtps://user:password@host:port' }),
  );

export const Sender = () =>
  applyDecorators(
    MaxLength(300),
    Matches(/^([^<>"\r\n]+ <[^\s<>@"]+@[A-Za-z0-9.-]+>|[^\s<>@"]+@[A-Za-z0-9.-]+)$/, {
      message: 'must look like Shop <shop@shop.example>',
    }),
  );

/** @throws Error in one sentence when the file cannot be read, or is empty */
export function smtpPasswordIn({ SMTP_PASSWORD_FILE: file }: Pick<MailSettings, 'SMTP_PASSWORD_FILE'>) {
  if (file === undefined) return undefined;
  const password = secretIn(file, { variable: 'SMTP_PASSWORD_FILE', code: 'SMTP_PASSWORD' });
  if (password === '') throw operatorsError('SMTP_PASSWORD', `the file ${file} has no password in it`);
  return password;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Why a service must not start in production with them, one reason each. */
export function unfitMail({ SMTP_URL, MAIL_FROM }: Pick<MailSettings, 'SMTP_URL' | 'MAIL_FROM'>): string[] {
  const clear =
    SMTP_URL !== undefined && isInTheClear(SMTP_URL)
      ? [
          'SMTP_URL goes over a network without TLS; use smtps:// or ?requireTLS=true, or say that it is meant: ?requireTLS=false',
        ]
      : [];
  return [...clear, ...(MAIL_FROM === DEVELOPMENT_FROM ? ['MAIL_FROM is the sender of development'] : [])];
}

function isInTheClear(url: string): boolean {
  const { protocol, hostname, searchParams } = new URL(url);
  return protocol === 'smtp:' && !LOOPBACK.test(hostname) && !searchParams.has('requireTLS');
}
