/** A payout as those who run the system read it. One hand-written statement writes payouts. */
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Payout, PayoutStatus } from '../webhooks/provider-reports';

@Entity('payout')
export class PayoutEntity implements Payout {
  @PrimaryColumn('text')
  id: string;

  @Column('bigint')
  amount: number;

  @Column('text')
  currency: string;

  @Column('text')
  status: PayoutStatus;

  @Column('date', { name: 'arrival_date' })
  arrivalDate: string;

  @Column('text', { name: 'failure_code', nullable: true })
  failureCode: string | null;
}
