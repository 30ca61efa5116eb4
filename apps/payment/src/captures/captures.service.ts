/** Reads one capture of a payment, or a page of them. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Problem } from '@shop/problem';
import { MoreThan, type Repository } from 'typeorm';
import type { Capture } from './capture';
import { CaptureEntity } from './capture.entity';

/** `cap_` and the letters of a hash. */
const CAPTURE_ID = /^cap_[\w-]{1,60}$/;

export interface CapturesPage {
  tenant: string;
  paymentId: string;
  after: string;
  limit: number;
}

@Injectable()
export class CapturesService {
  constructor(@InjectRepository(CaptureEntity) private readonly captures: Repository<CaptureEntity>) {}

  /** Up to `limit` captures of the payment after the id `after`, in order of id. */
  list({ tenant, paymentId, after, limit }: CapturesPage): Promise<Capture[]> {
    return this.captures.find({
      where: { tenant, paymentId, id: MoreThan(after) },
      order: { id: 'ASC' },
      take: limit,
    });
  }

  /** @throws Problem 404 `capture_not_found`, also for a capture of another payment */
  async get(tenant: string, paymentId: string, id: string): Promise<Capture> {
    const capture = CAPTURE_ID.test(id) ? await this.captures.findOneBy({ tenant, id }) : null;
    if (capture?.paymentId !== paymentId) {
      throw new Problem(404, 'capture_not_found', 'the payment has no capture with this id');
    }
    return capture;
  }
}
