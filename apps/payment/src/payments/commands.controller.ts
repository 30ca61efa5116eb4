/** Takes the commands of the payment mailbox. */
import { Controller } from '@nestjs/common';
import { Answers, commandMailbox, Consumes, type Delivery, replyTo } from '@shop/messaging';
import { PaymentCommands } from './payment-commands';

@Controller()
export class CommandsController {
  constructor(private readonly commands: PaymentCommands) {}

  @Consumes(commandMailbox('payment'))
  take(deliveries: Delivery[]): Answers {
    return new Answers(
      deliveries.map(async ({ message, suspect }) =>
        replyTo(message, 'payment', await this.commands.perform(message, { alone: suspect })),
      ),
    );
  }
}
