/** The parts of this room, for the module of the sandbox. */
import type { Provider } from '@nestjs/common';
import { MailFaults } from './mail-faults';
import { MailPageController } from './mail-page.controller';
import { MAIL_SERVER, MailServer, type MailServerOptions } from './mail-server';
import { MailsController } from './mails.controller';
import { ReceivedMails } from './received-mails';

export const mailControllers = [MailsController, MailPageController];

export const mailProviders = (server: MailServerOptions | undefined): Provider[] => [
  { provide: MAIL_SERVER, useValue: server },
  { provide: ReceivedMails, useFactory: () => new ReceivedMails() },
  MailFaults,
  MailServer,
];
