/** Reads pages of disputes. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, type Repository } from 'typeorm';
import type { Dispute, DisputeStatus } from './dispute';
import { DisputeEntity } from './dispute.entity';

export interface DisputesPage {
  tenant: string;
  paymentId?: string;
  status?: DisputeStatus;
  after: string;
  limit: number;
}

@Injectable()
export class DisputesService {
  constructor(@InjectRepository(DisputeEntity) private readonly disputes: Repository<DisputeEntity>) {}

  /** Up to `limit` disputes after the id `after`, in order of id. */
  list({ tenant, paymentId, status, after, limit }: DisputesPage): Promise<Dispute[]> {
    const which = { ...(paymentId !== undefined && { paymentId }), ...(status !== undefined && { status }) };
    return this.disputes.find({
      where: { tenant, ...which, id: MoreThan(after) },
      order: { id: 'ASC' },
      take: limit,
    });
  }
}
