/** The promotions of a tenant: creates, changes and deletes one at a time, and loses no change. */
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type Preconditions, requireMatch, requireNone } from '@shop/http';
import { insertIfAbsent } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { MoreThan, type Repository } from 'typeorm';
import type { WrittenTerms } from './promotion.body';
import { Promotion } from './promotion.entity';
import type { PromotionKey } from './promotion';

@Injectable()
export class PromotionsService {
  constructor(@InjectRepository(Promotion) private readonly promotions: Repository<Promotion>) {}

  /** Up to `limit` promotions after the code `after`, in order of code. */
  list({ tenant, after, limit }: { tenant: string; after: string; limit: number }): Promise<Promotion[]> {
    return this.promotions.find({ where: { tenant, code: MoreThan(after) }, order: { code: 'ASC' }, take: limit });
  }

  /**
   * @param running only one that has begun and is not over
   * @throws Problem 404 `promotion_not_found`
   */
  async get({ tenant, code }: PromotionKey, { running }: { running: boolean }): Promise<Promotion> {
    const query = this.promotions
      .createQueryBuilder('p')
      .where('p.tenant = :tenant and p.code = :code', { tenant, code });
    if (running) {
      query.andWhere('(p.starts_at is null or p.starts_at <= now()) and (p.ends_at is null or p.ends_at > now())');
    }
    const promotion = await query.getOne();
    if (!promotion) throw new Problem(404, 'promotion_not_found', 'there is no promotion with this code');
    return promotion;
  }

  /**
   * Creates the promotion, or changes the version that `ifMatch` names. If the terms are the same, nothing changes, so a
   * repeat needs no `ifMatch`.
   * @throws Problem 412, 428 or 400, as `requireMatch` and `requireNone` do
   */
  async put(
    key: PromotionKey,
    terms: WrittenTerms,
    { ifMatch, ifNoneMatch }: Preconditions,
  ): Promise<{ promotion: Promotion; created: boolean }> {
    for (;;) {
      const known = await this.find(key);
      const current = known?.deletedAt ? undefined : known;
      if (current) requireNone(ifNoneMatch, current.version);
      if (current && ifMatch === undefined && hasTerms(current, terms)) return { promotion: current, created: false };
      if (current || ifMatch !== undefined) requireMatch(ifMatch, current?.version);
      const promotion = known ? await this.write(known, terms) : await this.create(key, terms);
      if (promotion) return { promotion, created: !current };
      // Somebody else wrote between our read and our write. The next round reads the new row.
    }
  }

  /**
   * Deletes the promotion; a repeat changes nothing. The row stays, because its uses are not over.
   * @param allow throws when this version must not be deleted
   */
  async delete(key: PromotionKey, allow: (version: number) => void): Promise<void> {
    for (;;) {
      const current = await this.find(key);
      if (!current || current.deletedAt) return;
      allow(current.version);
      const { version } = current;
      const changed = { version: version + 1, deletedAt: () => 'now()' };
      const { affected } = await this.promotions.update({ ...key, version }, changed);
      if (affected) return;
    }
  }

  /** Also finds one that is deleted. */
  private async find({ tenant, code }: PromotionKey): Promise<Promotion | undefined> {
    const query = this.promotions.createQueryBuilder('p').withDeleted().addSelect('p.deletedAt');
    return (await query.where('p.tenant = :tenant and p.code = :code', { tenant, code }).getOne()) ?? undefined;
  }

  /** Returns undefined when there is one already. */
  private async create(key: PromotionKey, terms: WrittenTerms): Promise<Promotion | undefined> {
    const values = { ...key, ...terms };
    const row = await insertIfAbsent(this.promotions, values, 'used', 'version');
    return row && this.promotions.create({ ...values, ...row });
  }

  /** Also brings one back that is deleted. Returns undefined when the version is no longer this one. */
  private async write(known: Promotion, terms: WrittenTerms): Promise<Promotion | undefined> {
    const { tenant, code, version, used } = known;
    // A term that is not given any more has to become null, and TypeORM leaves out what is undefined.
    const columns = Object.fromEntries(Object.entries(terms).map(([name, value]) => [name, value ?? null]));
    const changed = { ...columns, version: version + 1, deletedAt: null };
    const { affected } = await this.promotions.update({ tenant, code, version }, changed);
    return affected ? this.promotions.create({ tenant, code, ...terms, used, version: version + 1 }) : undefined;
  }
}

function hasTerms(promotion: Promotion, terms: WrittenTerms): boolean {
  return Object.entries(terms).every(([name, value]) =>
    isDeepStrictEqual(promotion[name as keyof WrittenTerms], value),
  );
}
