/** Profiles: makes, changes and erases one at a time, and loses no change. Nothing of a profile is ever logged. */
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type Caller, type Preconditions, requireMatch, requireNone, isVisible, reachOf } from '@shop/http';
import { Database, insertIfAbsent } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { MoreThan, type Repository } from 'typeorm';
import { countOpenOrders } from '../erasure/erase-orders';
import { eraseCustomerData } from '../erasure/order-data';
import { MAX_PROFILE_ID_LENGTH, type ProfileContent, sameContent } from './profile';
import { Profile } from './profile.entity';
import { erasureReport } from './profile-erasure';
import type { ProfileErasureView } from './profile.view';

/** Which profile is meant; with `placedBy` only one that this principal has made. */
export interface ProfileKey {
  tenant: string;
  id: string;
  placedBy?: string;
}

@Injectable()
export class ProfilesService {
  constructor(
    @InjectRepository(Profile) private readonly profiles: Repository<Profile>,
    @Inject(Database) private readonly database: Database,
  ) {}

  /** Up to `limit` profiles of the tenant after the id `after`, in order of id. */
  list({ tenant, after, limit }: { tenant: string; after: string; limit: number }): Promise<Profile[]> {
    return this.profiles.find({ where: { tenant, id: MoreThan(after) }, order: { id: 'ASC' }, take: limit });
  }

  /** @throws Problem 404 `profile_not_found`, also for one that the caller must not see */
  async get(key: ProfileKey): Promise<Profile> {
    const profile = await this.find(key);
    if (!profile || !isVisible(profile, key)) throw notFound();
    return profile;
  }

  /**
   * Makes the profile, or changes the version that `ifMatch` names. If the content is the same, nothing changes, so a
   * repeat needs no `ifMatch`.
   * @throws Problem 409 `profile_id_conflict`; 412, 428 or 400, as `requireMatch` and `requireNone` do
   */
  async put(
    caller: Caller,
    id: string,
    content: ProfileContent,
    { ifMatch, ifNoneMatch }: Preconditions,
  ): Promise<{ profile: Profile; created: boolean }> {
    const key = profileKey(caller, id);
    for (;;) {
      const created = ifMatch === undefined ? await this.create(key, caller.principal, content) : undefined;
      if (created) return { profile: created, created: true };
      const current = await this.find(key);
      // It was erased between our two looks.
      if (!current && ifMatch === undefined) continue;
      if (current && !isVisible(current, key)) throw conflict();
      if (current) requireNone(ifNoneMatch, current.version);
      if (current && ifMatch === undefined && sameContent(current, content)) {
        return { profile: current, created: false };
      }
      requireMatch(ifMatch, current?.version);
      const changed = await this.change(current, content);
      if (changed) return { profile: changed, created: false };
      // Somebody else wrote between our read and our write. The next round reads the new row.
    }
  }

  /**
   * Changes the version that `ifMatch` names into what `patched` makes of it.
   * @throws Problem 404 `profile_not_found`; 412, 428 or 400 as `requireMatch` does, and what `patched` throws
   */
  async patch(
    key: ProfileKey,
    ifMatch: string | undefined,
    patched: (current: ProfileContent) => ProfileContent,
  ): Promise<Profile> {
    for (;;) {
      const current = await this.get(key);
      requireMatch(ifMatch, current.version);
      const content = patched(current);
      const changed = sameContent(current, content) ? current : await this.change(current, content);
      if (changed) return changed;
    }
  }

  /**
   * Erases who the customer is from this service, as far as the caller reaches. It converges, and says the same again.
   * @throws Problem 404 for a profile of somebody else; 412 or 400 if `ifMatch` names another version
   */
  async erase(key: ProfileKey, ifMatch: string | undefined): Promise<ProfileErasureView> {
    const { tenant, id: customerId, placedBy } = key;
    for (let gone = false; !gone;) {
      const current = await this.find(key);
      if (current && !isVisible(current, key)) throw notFound();
      if (current && ifMatch !== undefined) requireMatch(ifMatch, current.version);
      const { affected } = current
        ? await this.profiles.delete({ tenant, id: customerId, version: current.version })
        : { affected: 1 };
      gone = affected !== 0;
    }
    const customer = { tenant, customerId, placedBy };
    await eraseCustomerData(this.database, customer);
    return erasureReport(await countOpenOrders(this.database, customer));
  }

  private async find({ tenant, id }: ProfileKey): Promise<Profile | undefined> {
    return isProfileId(id) ? ((await this.profiles.findOneBy({ tenant, id })) ?? undefined) : undefined;
  }

  /** Returns undefined when there is a profile already. */
  private async create(
    { tenant, id }: ProfileKey,
    placedBy: string,
    content: ProfileContent,
  ): Promise<Profile | undefined> {
    const values = { tenant, id, placedBy, ...content };
    const row = await insertIfAbsent(this.profiles, values, 'version');
    return row && this.profiles.create({ ...values, ...row });
  }

  /** Returns undefined when the version is no longer this one. */
  private async change(current: Profile, content: ProfileContent): Promise<Profile | undefined> {
    const { tenant, id, placedBy, version } = current;
    const { affected } = await this.profiles.update({ tenant, id, version }, content);
    if (affected === 0) return undefined;
    return this.profiles.create({ tenant, id, placedBy, ...content, version: version + 1 });
  }
}

export const profileKey = (caller: Caller, id: string): ProfileKey => ({ ...reachOf(caller), id });

/** As `customerId` of an order: 1 to 100 characters that PostgreSQL can store. */
export const isProfileId = (id: string): boolean =>
  id.length >= 1 && id.length <= MAX_PROFILE_ID_LENGTH && !id.includes('\0');

const notFound = (): Problem => new Problem(404, 'profile_not_found', 'there is no profile with this id');
const conflict = (): Problem =>
  new Problem(409, 'profile_id_conflict', 'somebody else has made a profile with this id; choose another one');
