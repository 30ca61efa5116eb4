/** An API key as its administrators see it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { PRINCIPAL, type Role, roles } from '@shop/http';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsISO8601,
  IsOptional,
  Matches,
} from 'class-validator';
import type { StoredKey } from './api-key';

export class ApiKeyBody {
  @ApiProperty({
    description: 'the SHA-256 of the key in hexadecimal digits; the key itself stays with whoever made it',
    example: '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b',
  })
  @Matches(/^[0-9a-f]{64}$/, { message: 'sha256 must be 64 hexadecimal digits in lower case' })
  sha256: string;

  @ApiProperty({ description: 'who calls with it', example: 'shop-front' })
  @Matches(PRINCIPAL, { message: 'principal must be 1 to 64 of A-Z a-z 0-9 _ . @ -' })
  principal: string;

  @ApiProperty({ enum: roles, isArray: true, example: ['customer'] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(10)
  @ArrayUnique()
  @IsIn(roles, { each: true })
  roles: Role[];

  @ApiPropertyOptional({ format: 'date-time', description: 'never, if not given', example: '2099-01-01T00:00:00.000Z' })
  @IsOptional()
  @IsISO8601({ strict: true })
  @Matches(/T.*(Z|[+-]\d\d:\d\d)$/, { message: 'expiresAt must have a time and its zone' })
  expiresAt?: string;
}

const nullableTime = { type: String, format: 'date-time', nullable: true } as const;

@ApiSchema({ name: 'ApiKey', description: 'An API key, without anything of the key itself.' })
export class ApiKeyView implements Omit<StoredKey, 'sha256'> {
  @ApiProperty({ description: 'its name within its tenant', example: 'shop-front-2026' })
  id: string;

  @ApiProperty({ example: 'acme' })
  tenant: string;

  @ApiProperty({ example: 'shop-front' })
  principal: string;

  @ApiProperty({ enum: roles, isArray: true, example: ['customer'] })
  roles: Role[];

  @ApiProperty({ ...nullableTime, description: 'null for never', example: null })
  expiresAt: Date | null;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: Date;

  @ApiProperty({ description: 'tenant and principal', example: 'acme/olga' })
  createdBy: string;

  @ApiProperty({ ...nullableTime, description: 'null for one that is not revoked', example: null })
  revokedAt: Date | null;

  @ApiProperty({ type: String, nullable: true, description: 'tenant and principal', example: null })
  revokedBy: string | null;

  @ApiProperty({
    ...nullableTime,
    description: 'to half a minute; null for never',
    example: '2026-03-02T09:30:00.000Z',
  })
  lastUsedAt: Date | null;
}

export function apiKeyJson(key: Omit<StoredKey, 'sha256'>): ApiKeyView {
  const { id, tenant, principal, roles, expiresAt, createdAt, createdBy, revokedAt, revokedBy, lastUsedAt } = key;
  return { id, tenant, principal, roles, expiresAt, createdAt, createdBy, revokedAt, revokedBy, lastUsedAt };
}
