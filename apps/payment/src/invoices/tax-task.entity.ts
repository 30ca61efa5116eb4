/** What the tax service has to be told, as operators read it. Hand-written statements write it. */
import { isoTime } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { NewTaxTask, TaxTaskKind, TaxTaskStatus } from './tax-task';
import type { TaxOfRate } from './totals';

@Entity('tax_task')
export class TaxTaskEntity implements NewTaxTask {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  number: string;

  @Column('text')
  kind: TaxTaskKind;

  @Column('text')
  invoice: string;

  @Column('text')
  currency: string;

  @Column('jsonb')
  rates: TaxOfRate[];

  @Column('text')
  status: TaxTaskStatus;

  @Column('integer')
  attempts: number;

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;

  @Column('timestamptz', { name: 'next_at', transformer: isoTime })
  nextAt: string;

  @Column('text', { name: 'last_error', nullable: true })
  lastError: string | null;
}
