/** Takes the replies to the commands of our sagas. */
import { Controller } from '@nestjs/common';
import { Answers, Consumes, type Delivery, replyMailbox } from '@shop/messaging';
import { SagaEngine } from '@shop/saga';

@Controller()
export class RepliesController {
  constructor(private readonly engine: SagaEngine) {}

  @Consumes(replyMailbox('order'))
  take(deliveries: Delivery[]): Answers {
    return new Answers(
      deliveries.map(async ({ message, suspect }) => {
        await this.engine.receive(message, { alone: suspect });
        return undefined;
      }),
    );
  }
}
