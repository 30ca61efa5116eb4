/** What the carrier is asked to take. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsText } from '@shop/validation';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';

const MAX_LINES = 1_000;
const MAX_PIECES = 1_000_000_000;
const MAX_TEXT = 200;
export const REFERENCE = /^[\w-]{1,100}$/;

export const parcelServices = ['home', 'pick-up'] as const;

export class ParcelAddress {
  @ApiProperty({ example: '1 Main Street' })
  @IsText(MAX_TEXT)
  line1: string;

  @ApiPropertyOptional({ example: 'Second floor' })
  @IsOptional()
  @IsText(MAX_TEXT)
  line2?: string;

  @ApiPropertyOptional({ example: '10115' })
  @IsOptional()
  @IsText(MAX_TEXT)
  postalCode?: string;

  @ApiProperty({ example: 'Berlin' })
  @IsText(MAX_TEXT)
  city: string;

  @ApiPropertyOptional({ example: 'Berlin' })
  @IsOptional()
  @IsText(MAX_TEXT)
  region?: string;

  @ApiProperty({ description: 'ISO 3166-1; nothing goes to `AQ`, Antarctica', example: 'DE' })
  @Matches(/^[A-Z]{2}$/, { message: 'must be two capital letters, as in ISO 3166-1' })
  country: string;
}

export class ParcelRecipient {
  @ApiProperty({ example: 'Alice Example' })
  @IsText(MAX_TEXT)
  name: string;

  @ApiProperty({ type: ParcelAddress, description: 'where it is brought to' })
  @IsNotEmpty()
  @ValidateNested()
  @Type(() => ParcelAddress)
  address: ParcelAddress;
}

export class ParcelLine {
  @ApiProperty({ example: 'mug-blue' })
  @IsText(MAX_TEXT)
  sku: string;

  @ApiProperty({ type: 'integer', example: 2 })
  @IsInt()
  @Min(1)
  @Max(MAX_PIECES)
  quantity: number;
}

export class ShipmentRequest {
  @ApiProperty({
    description: "the sender's name for it, which is taken once",
    example: 'dlv_u0cvXt9NcH0r3cRGqAAAJ2fB',
  })
  @Matches(REFERENCE)
  reference: string;

  @ApiProperty({ enum: parcelServices, description: 'pick-up: the recipient fetches it', example: 'home' })
  @IsIn(parcelServices)
  service: (typeof parcelServices)[number];

  @ApiPropertyOptional({ type: ParcelRecipient, description: 'needed for `home`' })
  @IsOptional()
  @ValidateNested()
  @Type(() => ParcelRecipient)
  recipient?: ParcelRecipient;

  @ApiProperty({ type: [ParcelLine] })
  @IsArray()
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  @Type(() => ParcelLine)
  lines: ParcelLine[];
}
