/** Takes the replies to the commands of our sagas. */
import { Controller } from '@nestjs/common';
import { Replies, Consumes, type Delivery, replyMailbox } from '@shop/messaging';
import { SagaEngine } from '@shop/saga';

@Controller()
export class RepliesController {
  constructor(private readonly engine: SagaEngine) {}

  @Consumes(replyMailbox('order'))
  take(deliveries: Delivery[]): Replies {
    return Replies.each(deliveries, async ({ message, suspect }) => {
      await this.engine.receive(message, { alone: suspect });
      return undefined;
    });
  }
}
