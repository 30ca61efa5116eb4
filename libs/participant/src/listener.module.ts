/** Brings the events of other services into a Nest app: a consumer for each of them, and the listener behind it. */
import { Controller, type DynamicModule, Inject, Module, type Provider, type Type } from '@nestjs/common';
import { Idempotency } from '@shop/idempotency';
import { Consumes, type Delivery, eventsFor, type Replies } from '@shop/messaging';
import { Database } from '@shop/postgres';
import { type EventSet, Listener } from './listener';

export interface ListenerModuleOptions<State> {
  /** The name of the service that listens. */
  service: string;
  /** The services whose events it takes. Its role in libs/contracts has to say so too. */
  hears: readonly string[];
  /** An injectable class that says what is made of the events. */
  events: Type<EventSet<State>>;
  /** The providers that this class needs. They are exported for the rest of the service. */
  providers?: Provider[];
}

@Module({})
export class ListenerModule {
  static register<State>({ service, hears, events, providers = [] }: ListenerModuleOptions<State>): DynamicModule {
    const listener = {
      provide: Listener,
      useFactory: (database: Database, idempotency: Idempotency, set: EventSet<State>) =>
        new Listener(service, database, idempotency, set),
      inject: [Database, Idempotency, events],
    };
    return {
      module: ListenerModule,
      controllers: hears.map((other) => controllerFor(service, other)),
      providers: [...providers, events, listener],
      exports: [...providers, listener],
    };
  }
}

function controllerFor(service: string, other: string): Type {
  @Controller()
  class EventsController {
    constructor(@Inject(Listener) private readonly listener: Listener) {}

    @Consumes(eventsFor(service, other))
    take(deliveries: Delivery[]): Replies {
      return this.listener.take(deliveries);
    }
  }
  return EventsController;
}
