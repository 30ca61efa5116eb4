/** The API keys of a service: their API, and the memory of the live ones. */
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { ApiKey } from '@shop/http';
import { Database } from '@shop/postgres';
import { endedWithin } from '@shop/resilience';
import { ApiKeyEntity } from './api-key.entity';
import { ApiKeysController } from './api-keys.controller';
import { ApiKeysService, ENVIRONMENT_KEYS } from './api-keys.service';
import { StoredKeys } from './stored-keys';

/** What is not noted by then is forgotten: it is only when a key was last used. */
const STOP_WITHIN_MS = 1_000;

@Module({})
export class ApiKeysModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(StoredKeys) private readonly stored: StoredKeys,
    @Inject(Database) private readonly database: Database,
  ) {}

  /** @param stored the same that the door asks, which is made before the modules are */
  static register(stored: StoredKeys, environment: readonly ApiKey[]): DynamicModule {
    return {
      module: ApiKeysModule,
      imports: [TypeOrmModule.forFeature([ApiKeyEntity])],
      controllers: [ApiKeysController],
      providers: [
        ApiKeysService,
        { provide: StoredKeys, useValue: stored },
        { provide: ENVIRONMENT_KEYS, useValue: new Set(environment.map(({ sha256 }) => sha256)) },
      ],
    };
  }

  onApplicationBootstrap(): Promise<void> {
    return this.stored.start(this.database);
  }

  async onApplicationShutdown(): Promise<void> {
    await endedWithin(this.stored.stop(), STOP_WITHIN_MS);
  }
}
