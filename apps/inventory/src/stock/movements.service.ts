/** Reads the movements of a SKU, page by page. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, type Repository } from 'typeorm';
import { MovementEntity } from './movement.entity';

export interface MovementsPage {
  tenant: string;
  sku: string;
  before?: number;
  limit: number;
}

@Injectable()
export class MovementsService {
  constructor(@InjectRepository(MovementEntity) private readonly movements: Repository<MovementEntity>) {}

  /** Newest first; up to `limit` movements behind the movement `before`. */
  list({ tenant, sku, before, limit }: MovementsPage): Promise<MovementEntity[]> {
    const where = { tenant, sku, ...(before === undefined ? {} : { id: LessThan(before) }) };
    return this.movements.find({ where, order: { id: 'DESC' }, take: limit });
  }
}
