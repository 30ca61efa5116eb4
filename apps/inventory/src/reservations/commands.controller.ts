/** Takes the commands of the inventory mailbox into one lane. */
import { Controller } from '@nestjs/common';
import { Ledger } from '@shop/idempotency';
import {
  Answers,
  commandMailbox,
  Consumes,
  type Delivery,
  MAILBOX_LANE,
  type Message,
  type Reply,
  replyTo,
} from '@shop/messaging';
import { Database, Lane } from '@shop/postgres';
import { InventoryMemory } from './inventory-memory';
import { carryOut } from './reservations';

@Controller()
export class CommandsController {
  private readonly lane: Lane<Message, Reply>;

  constructor(database: Database, ledger: Ledger) {
    const inventory = { database, ledger, memory: new InventoryMemory() };
    this.lane = new Lane({ ...MAILBOX_LANE, run: (commands) => carryOut(inventory, commands) });
  }

  @Consumes(commandMailbox('inventory'))
  take(deliveries: Delivery[]): Answers {
    return new Answers(
      deliveries.map(async ({ message, suspect }) =>
        replyTo(message, 'inventory', await this.lane.submit(message, { alone: suspect })),
      ),
    );
  }
}
