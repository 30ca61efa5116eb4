/** The page of the bank for 3-D Secure, where an intent in `requires_action` sends the customer. */
import { Body, Controller, Get, Param, Post, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Books } from '../stripe/books';
import { Intents } from '../stripe/intents';
import { type Page, question, sentence, wayBack } from './bank-page';

const DECIDED = 'This payment has been decided already.';
const OVER = 'This payment was cancelled or has expired.';

@ApiExcludeController()
@Controller('3ds')
export class BankPageController {
  constructor(
    private readonly books: Books,
    private readonly intents: Intents,
  ) {}

  @Get(':id')
  ask(@Param('id') id: string, @Res() reply: FastifyReply): void {
    const intent = this.books.intents.find(id);
    show(reply, intent?.status === 'requires_action' ? question(intent) : this.deadEnd(id));
  }

  @Post(':id')
  decide(@Param('id') id: string, @Body() form: Record<string, unknown> | null, @Res() reply: FastifyReply): void {
    const outcome = (['approve', 'decline'] as const).find((each) => each === form?.['outcome']);
    if (!outcome) return show(reply, sentence(400, 'This page only takes Approve or Decline.'));
    const intent = this.books.intents.find(id);
    if (!intent || !this.intents.happen(id, outcome)) return show(reply, this.deadEnd(id));
    const location = wayBack(intent, outcome);
    if (location !== undefined) return void reply.status(303).header('location', location).send();
    show(
      reply,
      sentence(200, outcome === 'approve' ? 'You have approved the payment.' : 'You have declined the payment.'),
    );
  }

  private deadEnd(id: string): Page {
    const intent = this.books.intents.find(id);
    if (!intent) return sentence(404, 'There is no such payment.');
    return sentence(410, intent.status === 'canceled' ? OVER : DECIDED);
  }
}

function show(reply: FastifyReply, { status, html, policy }: Page): void {
  void reply
    .status(status)
    .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
    .send(html);
}
