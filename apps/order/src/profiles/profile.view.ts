/** A profile as clients see it, and the report of its erasure. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { type Address, AddressBody, contentJson } from './profile';
import type { Profile } from './profile.entity';

@ApiSchema({ name: 'Profile', description: 'Who a customer is, and how to reach them.' })
export class ProfileView {
  @ApiProperty({ description: 'the customerId of the orders', example: 'alice' })
  id: string;

  @ApiProperty({ example: 'Alice' })
  displayName: string;

  @ApiProperty({ format: 'email', example: 'alice@example.com' })
  email: string;

  @ApiProperty({ description: 'a language tag (BCP 47)', example: 'en-GB' })
  locale: string;

  @ApiPropertyOptional({ description: 'with a plus sign and the country (E.164)', example: '+4930123456' })
  phone?: string;

  @ApiPropertyOptional({ type: AddressBody, description: 'where things are sent to' })
  address?: Address;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 1 })
  version: number;
}

export function profileJson(profile: Profile): ProfileView {
  return { id: profile.id, ...contentJson(profile), version: profile.version };
}

@ApiSchema({ name: 'ErasedData', description: 'Data of the customer that is gone.' })
export class ErasedDataView {
  @ApiProperty({ example: 'profile' })
  what: string;

  @ApiProperty({ description: 'what became of it', example: 'removed' })
  how: string;
}

@ApiSchema({ name: 'KeptData', description: 'What is still there.' })
export class KeptDataView {
  @ApiProperty({ example: 'open orders' })
  what: string;

  @ApiProperty({ example: 'they need their customer until they end; ask again then' })
  why: string;

  @ApiPropertyOptional({ type: 'integer', description: 'how many, where they can be counted', example: 1 })
  count?: number;
}

@ApiSchema({ name: 'ProfileErasure', description: 'What was erased of a customer, and what is kept, and why.' })
export class ProfileErasureView {
  @ApiProperty({ type: [ErasedDataView], description: 'what is not there any more' })
  erased: ErasedDataView[];

  @ApiProperty({ type: [KeptDataView] })
  kept: KeptDataView[];
}
