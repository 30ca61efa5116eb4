/** The pages on which a person sees the mails that came. */
import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { listPage, mailContent, mailPage, type MailPage, noMailPage } from './mail-page';
import { ReceivedMails } from './received-mails';

@ApiExcludeController()
@Controller('mail')
export class MailPageController {
  constructor(private readonly mails: ReceivedMails) {}

  @Get()
  list(@Res() reply: FastifyReply): void {
    show(reply, listPage(this.mails.list()));
  }

  @Get(':id')
  one(@Param('id') id: string, @Res() reply: FastifyReply): void {
    const mail = this.mails.find(id);
    show(reply, mail ? mailPage(mail) : noMailPage());
  }

  @Get(':id/html')
  content(@Param('id') id: string, @Res() reply: FastifyReply): void {
    const mail = this.mails.find(id);
    show(reply, mail ? mailContent(mail) : noMailPage());
  }
}

function show(reply: FastifyReply, { status, html, policy }: MailPage): void {
  void reply
    .status(status)
    .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
    .send(html);
}
