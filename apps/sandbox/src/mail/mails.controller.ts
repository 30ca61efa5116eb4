/** The admin routes of mails: what came, and what goes wrong. */
import { Body, Controller, Delete, Get, HttpCode, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiPropertyOptional, ApiSchema, ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '@shop/http';
import { ApiProblems, Problem } from '@shop/problem';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { checkMailRates, MailFaults, MailFaultSettings } from './mail-faults';
import { MailServer } from './mail-server';
import { type ReceivedMail, ReceivedMails } from './received-mails';

class MailsQuery {
  @ApiPropertyOptional({ description: 'only those to this address', example: 'alice@example.com' })
  @IsOptional()
  @IsString()
  @MaxLength(254)
  to?: string;
}

@ApiSchema({ name: 'ReceivedMail', description: 'A mail that the mail server took.' })
class ReceivedMailView implements Omit<ReceivedMail, 'html'> {
  @ApiProperty({ description: 'its page is /mail/{id}', example: 'mail_1' })
  id: string;

  @ApiProperty({ type: String, nullable: true, example: '<ntf_u0cvXt9NcH0r3cRGqAAAJ2fBYvM@shop.example>' })
  messageId: string | null;

  @ApiProperty({ example: 'shop@shop.example' })
  from: string;

  @ApiProperty({ type: [String], example: ['alice@example.com'] })
  to: string[];

  @ApiProperty({ example: 'Your order is confirmed: 01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  subject: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T12:00:00.000Z' })
  writtenAt: string | null;

  @ApiProperty({ example: 'Hello Alice, …' })
  text: string;

  @ApiProperty({ type: 'integer', description: 'how often it came under its Message-ID', example: 1 })
  receivedCount: number;
}

@ApiSchema({ name: 'ReceivedMails', description: 'The mails that were kept, oldest first.' })
class ReceivedMailsView {
  @ApiProperty({ type: [ReceivedMailView] })
  mails: ReceivedMailView[];

  @ApiProperty({ type: 'integer', description: 'how often one of them came again', example: 0 })
  duplicates: number;
}

@ApiSchema({ name: 'MailServer', description: 'Where the mail server is.' })
class MailServerView {
  @ApiProperty({ type: 'integer', description: 'of SMTP, without TLS and passwords', example: 3025 })
  port: number;
}

@ApiTags('admin')
@Controller('admin')
export class MailsController {
  constructor(
    private readonly mails: ReceivedMails,
    private readonly faults: MailFaults,
    private readonly server: MailServer,
  ) {}

  @Get('mail-server')
  @ApiOperation({
    operationId: 'getMailServer',
    summary: 'Where the mail server listens',
    description: 'Its port may have been a free one.',
  })
  @ApiAnswer(200, MailServerView, { description: 'its port' })
  @ApiProblems({ 404: ['mail_server_off'] })
  getServer(): MailServerView {
    const { port } = this.server;
    if (port === undefined) throw new Problem(404, 'mail_server_off', 'there is no mail server');
    return { port };
  }

  @Get('mails')
  @ApiOperation({
    operationId: 'listMails',
    summary: 'Every mail that was kept, oldest first',
    description: 'The last 10,000. People look at them on the page /mail.',
  })
  @ApiAnswer(200, ReceivedMailsView, { description: 'all of them' })
  getMails(@Query() { to }: MailsQuery): ReceivedMailsView {
    const kept = this.mails.list(to);
    const duplicates = kept.reduce((sum, { receivedCount }) => sum + receivedCount - 1, 0);
    return { mails: kept.map(({ html: _, ...mail }) => mail), duplicates };
  }

  @Delete('mails')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'clearMails',
    summary: 'Forgets all mails',
    description: 'One that comes again is a new one then.',
  })
  @ApiAnswer(204, null, { description: 'forgotten' })
  deleteMails(): void {
    this.mails.clear();
  }

  @Get('mail-faults')
  @ApiOperation({
    operationId: 'getMailFaults',
    summary: 'The faults of the mail server',
    description: 'Shares of mails, and a time to wait.',
  })
  @ApiAnswer(200, MailFaultSettings, { description: 'the faults as they are now' })
  getFaults(): MailFaultSettings {
    return this.faults.current();
  }

  @Put('mail-faults')
  @ApiOperation({
    operationId: 'setMailFaults',
    summary: 'Sets all faults of the mail server anew; what is left out is off',
    description: 'Shares are of the same mails, so together they are at most 1.',
  })
  @ApiAnswer(200, MailFaultSettings, { description: 'the faults as they are now' })
  putFaults(@Body() settings: MailFaultSettings): MailFaultSettings {
    checkMailRates(settings);
    this.faults.use(settings);
    return this.faults.current();
  }

  @Delete('mail-faults')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'clearMailFaults',
    summary: 'Turns all faults of the mail server off',
    description: 'From now on every mail is taken.',
  })
  @ApiAnswer(204, null, { description: 'off' })
  deleteFaults(): void {
    this.faults.use(new MailFaultSettings());
  }
}
