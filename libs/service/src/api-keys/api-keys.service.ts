/** Adds, lists and revokes API keys. Each act is one line in the log. */
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Caller } from '@shop/http';
import type { Logger } from '@shop/observability';
import { Database, databaseTime, type Tx } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { MoreThan, type Repository } from 'typeorm';
import { LOGGER } from '../logger';
import { checkGrant, findOrAllow, inOrder, type KeyName, type StoredKey, type WantedKey } from './api-key';
import { ApiKeyEntity } from './api-key.entity';
import { countLiveKeys, findAlike, insertKey, lockKeys, revokeKey } from './api-key.repository';
import { StoredKeys } from './stored-keys';

/** The hashes of the keys that the environment has. */
export const ENVIRONMENT_KEYS = Symbol('environment keys');

@Injectable()
export class ApiKeysService {
  constructor(
    private readonly database: Database,
    @InjectRepository(ApiKeyEntity) private readonly keys: Repository<ApiKeyEntity>,
    private readonly stored: StoredKeys,
    @Inject(ENVIRONMENT_KEYS) private readonly inEnvironment: ReadonlySet<string>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** By id; up to `limit` keys of the tenant after the id `after`. Those that are revoked are there too. */
  list(page: { tenant: string; after: string; limit: number }): Promise<Omit<StoredKey, 'sha256'>[]> {
    const { tenant, after, limit } = page;
    return this.keys.find({ where: { tenant, id: MoreThan(after) }, order: { id: 'ASC' }, take: limit });
  }

  /** The same again changes nothing. @throws Problem 403, 409 or 422 */
  async put(caller: Caller, name: KeyName, wanted: WantedKey): Promise<{ key: StoredKey; created: boolean }> {
    checkGrant(caller, wanted.roles);
    const by = nameOf(caller);
    const done = await this.database.transaction(async (tx) => {
      const same = findOrAllow(name, wanted, await this.surroundings(tx, name, wanted.sha256));
      if (same) return { key: same, created: false };
      return { key: await insertKey(tx, name, { ...wanted, roles: inOrder(wanted.roles) }, by), created: true };
    });
    if (done.created) await this.changed('api_key.added', name, by, wanted);
    return done;
  }

  /** A repeat changes nothing. @throws Problem 404 `api_key_not_found` */
  async revoke(caller: Caller, name: KeyName): Promise<void> {
    const by = nameOf(caller);
    const revoked = await this.database.transaction(async (tx) => {
      await lockKeys(tx);
      return revokeKey(tx, name, by);
    });
    if (revoked === 'never') throw new Problem(404, 'api_key_not_found', 'there is no such API key');
    if (revoked === 'now') await this.changed('api_key.revoked', name, by);
  }

  private async surroundings(tx: Tx, name: KeyName, sha256: string) {
    await lockKeys(tx);
    const [alike, live, now] = await Promise.all([
      findAlike(tx, name, sha256),
      countLiveKeys(tx, name.tenant),
      databaseTime(tx),
    ]);
    return { alike, live, now, isInEnvironment: this.inEnvironment.has(sha256) };
  }

  /** This replica knows it at once, the others when they next look. */
  private async changed(event: string, { tenant, id }: KeyName, by: string, wanted?: WantedKey): Promise<void> {
    const granted = wanted && { principal: wanted.principal, roles: wanted.roles, expiresAt: wanted.expiresAt };
    this.logger.info({ tenant, apiKeyId: id, by, ...granted }, event);
    await this.stored.refresh();
  }
}

const nameOf = ({ tenant, principal }: Caller): string => `${tenant}/${principal}`;
