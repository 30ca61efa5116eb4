/** A service that takes the events of another one: as small as can be, with whatever a test does with them. */
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createLogger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Broker } from '../src/broker';
import { DeadLetters } from '../src/dead-letters';
import { JetStreamServer } from '../src/jetstream.server';
import { Replies, Consumes, type Delivery } from '../src/mailbox';
import { eventsFor, type Message } from '../src/message';
import { Publisher } from '../src/publisher';

export interface EventListenerOptions {
  natsUrl: string;
  /** Its own, with `messagingMigrations`. */
  database: Database;
  /** Its own name, and the service whose events it takes. */
  name: string;
  service: string;
  /** Acknowledged when it resolves. */
  take?: (event: Message) => Promise<void>;
}

const logger = createLogger({ service: 'listener', level: 'silent', format: 'json' });

export class EventListener {
  private constructor(
    /** Everything that has come, repeats included, in the order of coming. */
    readonly heard: readonly Message[],
    readonly close: () => Promise<void>,
  ) {}

  static async start({ natsUrl, database, name, service, take = async () => undefined }: EventListenerOptions) {
    const heard: Message[] = [];
    const broker = new Broker({ url: natsUrl, service: name, logger });
    await broker.connect();

    @Controller()
    class EventsController {
      @Consumes(eventsFor(name, service))
      take(deliveries: Delivery[]): Replies {
        heard.push(...deliveries.map(({ message }) => message));
        return new Replies(deliveries.map(({ message }) => take(message).then(() => undefined)));
      }
    }
    @Module({ controllers: [EventsController] })
    class ListenerModule {}

    const strategy = new JetStreamServer(
      broker,
      new Publisher(broker, logger),
      new DeadLetters(database, logger),
      logger,
    );
    const app = await NestFactory.createMicroservice(ListenerModule, { strategy, logger: false });
    await app.listen();
    return new EventListener(heard, async () => {
      await app.close();
      await broker.close();
    });
  }

  /** What has come, each event once, in the order in which it first came. */
  get ids(): string[] {
    return [...new Set(this.heard.map(({ id }) => id))];
  }
}
