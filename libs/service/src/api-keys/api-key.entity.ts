/** An API key as a row that is read alone or in a page; the statements of api-key.repository.ts write it. */
import type { Role } from '@shop/http';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('api_key')
export class ApiKeyEntity {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  id: string;

  /** Nobody has to see it, so it is read only where it is compared. */
  @Column('text', { select: false })
  sha256: string;

  @Column('text')
  principal: string;

  @Column('text', { array: true })
  roles: Role[];

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('text', { name: 'created_by' })
  createdBy: string;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;

  @Column('text', { name: 'revoked_by', nullable: true })
  revokedBy: string | null;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;
}
