/** The request that makes or changes a profile, and what counts as the same content. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsText } from '@shop/validation';
import { Type } from 'class-transformer';
import { IsEmail, IsISO31661Alpha2, IsLocale, IsOptional, Matches, MaxLength, ValidateNested } from 'class-validator';

/** As long as a `customerId` of an order may be. */
export const MAX_PROFILE_ID_LENGTH = 100;
/** RFC 5321 allows no longer address to send to. */
const MAX_EMAIL_LENGTH = 254;
/** RFC 5646, section 4.4.1: enough for language, script, region and the variants that are in use. */
const MAX_LOCALE_LENGTH = 35;
/** The plus sign and at most fifteen digits (ITU-T E.164). */
const PHONE = /^\+[1-9]\d{1,14}$/;

export class AddressBody {
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'who receives what is sent there, if somebody else',
    example: 'Alice Example',
  })
  @IsOptional()
  @IsText(100)
  recipient?: string | null;

  @ApiProperty({ example: '1 Main Street' })
  @IsText(200)
  line1: string;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'Second floor' })
  @IsOptional()
  @IsText(200)
  line2?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'where the country has them', example: '10115' })
  @IsOptional()
  @IsText(20)
  postalCode?: string | null;

  @ApiProperty({ example: 'Berlin' })
  @IsText(100)
  city: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'state, province or county', example: 'Berlin' })
  @IsOptional()
  @IsText(100)
  region?: string | null;

  @ApiProperty({ description: 'ISO 3166-1, two capital letters', example: 'DE' })
  @IsISO31661Alpha2()
  @Matches(/^[A-Z]{2}$/, { message: 'country must be in capital letters' })
  country: string;
}

export class ProfileBody {
  @ApiProperty({ description: 'how the customer wants to be called', example: 'Alice' })
  @IsText(100)
  displayName: string;

  @ApiProperty({ format: 'email', example: 'alice@example.com' })
  @IsEmail()
  @MaxLength(MAX_EMAIL_LENGTH)
  email: string;

  @ApiProperty({ description: 'a language tag (BCP 47)', example: 'en-GB' })
  @IsLocale({ message: 'locale must be a language tag such as en-GB' })
  // The rule above also takes en_GB, which is how operating systems write it.
  @Matches(/^[A-Za-z\d-]*$/, { message: 'locale must be a language tag such as en-GB' })
  @MaxLength(MAX_LOCALE_LENGTH)
  locale: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'with a plus sign and the country (E.164)',
    example: '+4930123456',
  })
  @IsOptional()
  @Matches(PHONE, { message: 'phone must be a plus sign and 2 to 15 digits' })
  phone?: string | null;

  @ApiPropertyOptional({ type: AddressBody, description: 'where things are sent to' })
  @IsOptional()
  @ValidateNested()
  @Type(() => AddressBody)
  address?: AddressBody | null;
}

/** In the order in which they are shown; a jsonb column keeps no order. */
const addressFields = ['recipient', 'line1', 'line2', 'postalCode', 'city', 'region', 'country'] as const;

export type Address = Pick<AddressBody, 'line1' | 'city' | 'country'> &
  Partial<Record<(typeof addressFields)[number], string>>;

/** What a profile says. What it does not say is null in a row, and left out in JSON. */
export interface ProfileContent {
  displayName: string;
  email: string;
  locale: string;
  phone: string | null;
  address: Address | null;
}

export function contentOf({ displayName, email, locale, phone, address }: ProfileBody): ProfileContent {
  return { displayName, email, locale, phone: phone ?? null, address: address ? addressOf(address) : null };
}

export function contentJson({ displayName, email, locale, phone, address }: ProfileContent) {
  const further = { ...(phone !== null && { phone }), ...(address && { address: addressOf(address) }) };
  return { displayName, email, locale, ...further };
}

export const sameContent = (one: ProfileContent, other: ProfileContent): boolean =>
  isDeepStrictEqual(contentJson(one), contentJson(other));

function addressOf(address: AddressBody | Address): Address {
  const given = addressFields.flatMap((field) => (address[field] ? [[field, address[field]] as const] : []));
  return Object.fromEntries(given) as Address;
}
