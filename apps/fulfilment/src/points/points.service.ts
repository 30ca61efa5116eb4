/** Reads the points of a customer. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Reach } from '@shop/http';
import type { Repository } from 'typeorm';
import { type EntryKind, PointEntry } from './point-entry.entity';

/** The last entry of a page. */
export interface EntryPlace {
  orderId: string;
  kind: EntryKind;
}

export interface EntriesPage extends Reach {
  customerId: string;
  before?: EntryPlace;
  limit: number;
}

const place = `select p.at, p.order_id, p.kind from point_entry p
  where p.tenant = :tenant and p.order_id = :orderId and p.kind = :kind`;

@Injectable()
export class PointsService {
  constructor(@InjectRepository(PointEntry) private readonly entries: Repository<PointEntry>) {}

  /** Of the orders that the caller may see. */
  async balance({ customerId, ...reach }: Reach & { customerId: string }): Promise<number> {
    return Number((await this.entries.sum('points', { ...reach, customerId })) ?? 0);
  }

  /** Newest first; up to `limit` entries behind the entry `before`. */
  list({ tenant, placedBy, customerId, before, limit }: EntriesPage): Promise<PointEntry[]> {
    const query = this.entries.createQueryBuilder('e').where('e.tenant = :tenant', { tenant });
    query.andWhere('e.customer_id = :customerId', { customerId });
    if (placedBy !== undefined) query.andWhere('e.placed_by = :placedBy', { placedBy });
    if (before) query.andWhere(`(e.at, e.order_id, e.kind) < (${place})`, before);
    query.orderBy('e.at', 'DESC').addOrderBy('e.orderId', 'DESC').addOrderBy('e.kind', 'DESC');
    return query.limit(limit).getMany();
  }
}
