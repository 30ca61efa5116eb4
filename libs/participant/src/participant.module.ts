/** Brings the commands of a service into its Nest app: a consumer on its mailbox, and the participant behind it. */
import { Controller, type DynamicModule, Inject, Module, type Provider, type Type } from '@nestjs/common';
import { Idempotency } from '@shop/idempotency';
import { type Replies, commandMailbox, Consumes, type Delivery } from '@shop/messaging';
import { Database } from '@shop/postgres';
import { type CommandSet, Participant } from './participant';

export interface ParticipantModuleOptions<State> {
  /** The name of the service, as its commands use it. */
  service: string;
  /** An injectable class with the commands of the service. */
  commands: Type<CommandSet<State>>;
  /** The providers that this class needs. They are exported for the rest of the service. */
  providers?: Provider[];
}

@Module({})
export class ParticipantModule {
  static register<State>({ service, commands, providers = [] }: ParticipantModuleOptions<State>): DynamicModule {
    @Controller()
    class CommandsController {
      constructor(@Inject(Participant) private readonly participant: Participant) {}

      @Consumes(commandMailbox(service))
      take(deliveries: Delivery[]): Replies {
        return this.participant.take(deliveries);
      }
    }
    const participant = {
      provide: Participant,
      useFactory: (database: Database, idempotency: Idempotency, set: CommandSet<State>) =>
        new Participant(service, database, idempotency, set),
      inject: [Database, Idempotency, commands],
    };
    return {
      module: ParticipantModule,
      controllers: [CommandsController],
      providers: [...providers, commands, participant],
      exports: providers,
    };
  }
}
