/** An example service: it writes notes, each in one transaction, and sends parcels with a carrier. */
import {
  Body,
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  Injectable,
  Module,
  type OnApplicationShutdown,
  Post,
  UnauthorizedException,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
// A service knows the library only by its package name, and this is a service.
// eslint-disable-next-line @nx/enforce-module-boundaries
import {
  answerWith,
  type Caller,
  type Claim,
  ClaimOf,
  Idempotency,
  IdempotencyModule,
  Idempotent,
  ledgerMigrations,
  type Outcome,
} from '@shop/idempotency';
import { createDatabase, Database, migrate } from '@shop/postgres';
import { Carrier } from './example-carrier';
import { CreateExample1760000001000, type Note, type Parcel, Rows } from './example-rows';

/** Atomic: the note, the key and the answer are one transaction. */
@Controller('notes')
export class NotesController {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly rows: Rows,
  ) {}

  @Post()
  @Idempotent({ strategy: 'atomic' })
  write(@ClaimOf() claim: Claim, @Body() note: Note): Promise<Outcome> {
    return this.idempotency.once(claim, async (tx) => {
      const id = await this.rows.insertNote(tx, note);
      return answerWith(201, { id, ...note }, { location: `/notes/${id}` });
    });
  }
}

/** Leased: no transaction of ours can take back a call to the carrier. */
@Injectable()
export class Parcels {
  readonly send: (claim: Claim, parcel: Parcel) => Promise<Outcome>;

  constructor(idempotency: Idempotency, rows: Rows, carrier: Carrier) {
    this.send = idempotency.leased<Parcel>('send-parcel', async (work, parcel) => {
      const id = await work.reach('packed', (tx) => rows.insertParcel(tx, parcel));
      const booking = await work.call(
        'booked',
        () => carrier.book(work.id, parcel),
        (tx, booked) => rows.setBooking(tx, id, booked),
      );
      const label = await carrier.label(booking);
      return work.finish(async (tx) => {
        await rows.setLabel(tx, id, label);
        return answerWith(201, { id, booking, label }, { location: `/parcels/${id}` });
      });
    });
  }
}

@Controller('parcels')
export class ParcelsController {
  constructor(private readonly parcels: Parcels) {}

  @Post()
  @Idempotent({ strategy: 'leased' })
  create(@ClaimOf() claim: Claim, @Body() parcel: Parcel): Promise<Outcome> {
    return this.parcels.send(claim, parcel);
  }
}

/** Puts the caller on the request. A real service would check more than two headers. */
class HeaderGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; caller?: Caller }>();
    const { 'x-tenant': tenant, 'x-user': principal } = request.headers;
    if (!tenant || !principal) throw new UnauthorizedException();
    request.caller = { tenant, principal };
    return true;
  }
}

export interface ExampleOptions {
  databaseUrl: string;
  carrierUrl: string;
  leaseMs: number;
}

@Module({})
class ExampleModule implements OnApplicationShutdown {
  constructor(private readonly database: Database) {}

  static register(database: Database, { carrierUrl, leaseMs }: ExampleOptions): DynamicModule {
    return {
      module: ExampleModule,
      imports: [IdempotencyModule.register({ database, leaseMs })],
      controllers: [NotesController, ParcelsController],
      providers: [
        { provide: Database, useValue: database },
        { provide: Carrier, useValue: new Carrier(carrierUrl) },
        { provide: APP_GUARD, useClass: HeaderGuard },
        Rows,
        Parcels,
      ],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}

export async function buildExample(options: ExampleOptions): Promise<NestFastifyApplication> {
  const migrations = [...ledgerMigrations, CreateExample1760000001000];
  const database = createDatabase({ url: options.databaseUrl, applicationName: 'example', migrations });
  await migrate(database);
  const app = await NestFactory.create<NestFastifyApplication>(
    ExampleModule.register(database, options),
    new FastifyAdapter(),
    { logger: ['error'] },
  );
  const carrier = app.get(Carrier);
  const fastify = app.getHttpAdapter().getInstance();
  // The commit is done, and nobody has been answered yet.
  fastify.addHook('onSend', async (request, reply) => {
    const { text, to } = (request.body ?? {}) as Partial<Note & Parcel>;
    if (reply.statusCode === 201) await carrier.tell('answering', (text ?? to)!);
  });
  return app.enableShutdownHooks();
}
