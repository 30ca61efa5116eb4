/** A dead letter as operators read it; the statements that write and lock one stand in dead-letter.repository.ts. */
import { Column, Entity, PrimaryColumn, VirtualColumn } from 'typeorm';
import type { Act, DeadLetter, DeadLetterState } from './dead-letter';

@Entity('dead_letter')
export class DeadLetterEntity implements DeadLetter {
  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  mailbox: string;

  @Column('text', { name: 'message_id' })
  messageId: string;

  @Column('text', { nullable: true })
  type: string | null;

  @Column('text', { nullable: true })
  saga: string | null;

  @Column('text', { nullable: true })
  tenant: string | null;

  @Column('boolean')
  readable: boolean;

  @Column('integer')
  deliveries: number;

  @Column('boolean')
  killed: boolean;

  @Column('text', { name: 'last_error' })
  lastError: string;

  @Column('text')
  state: DeadLetterState;

  @Column('integer')
  size: number;

  @VirtualColumn('boolean', { query: (letter) => `${letter}.size > octet_length(${letter}.content)` })
  cut: boolean;

  @Column('jsonb')
  acts: Act[];

  @Column('timestamptz', { name: 'first_seen_at' })
  firstSeenAt: Date;

  @Column('timestamptz', { name: 'last_seen_at' })
  lastSeenAt: Date;

  /** Up to a megabyte, so only who asks for it gets it. */
  @Column('bytea', { select: false })
  content: Buffer;
}
