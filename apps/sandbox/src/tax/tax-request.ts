/** What the tax service is asked and told. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsText } from '@shop/validation';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';

const MAX_LINES = 1_000;
const MAX_RATES = 20;
const MAX_NAME = 100;
const MAX_AMOUNT = Number.MAX_SAFE_INTEGER;

const Currency = () => Matches(/^[A-Z]{3}$/, { message: 'must be three capital letters, as in ISO 4217' });

export class QuotedLine {
  @ApiProperty({ description: 'its beginning decides the rate', example: 'book-1' })
  @IsText(MAX_NAME)
  sku: string;

  @ApiProperty({ description: 'gross, of all pieces, in minor units', example: 2_140 })
  @IsInt()
  @Min(0)
  @Max(MAX_AMOUNT)
  amount: number;

  @ApiProperty({ description: 'pieces', example: 2 })
  @IsInt()
  @Min(1)
  @Max(MAX_AMOUNT)
  quantity: number;
}

export class QuoteRequest {
  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  @Currency()
  currency: string;

  @ApiPropertyOptional({ description: 'ISO 3166-1; changes nothing here', example: 'DE' })
  @IsOptional()
  @Matches(/^[A-Z]{2}$/, { message: 'must be two capital letters, as in ISO 3166-1' })
  country?: string;

  @ApiProperty({ type: [QuotedLine] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  @Type(() => QuotedLine)
  lines: QuotedLine[];
}

export class TaxOfRate {
  @ApiProperty({ description: 'basis points', example: 700 })
  @IsInt()
  @Min(0)
  @Max(10_000)
  rate: number;

  @ApiProperty({ description: 'net and tax', example: 2_140 })
  @IsInt()
  @Min(0)
  @Max(MAX_AMOUNT)
  gross: number;

  @ApiProperty({ example: 2_000 })
  @IsInt()
  @Min(0)
  @Max(MAX_AMOUNT)
  net: number;

  @ApiProperty({ example: 140 })
  @IsInt()
  @Min(0)
  @Max(MAX_AMOUNT)
  tax: number;
}

export class TransactionRequest {
  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  @Currency()
  currency: string;

  @ApiProperty({ type: [TaxOfRate] })
  @IsArray()
  @ArrayMaxSize(MAX_RATES)
  @ValidateNested({ each: true })
  @Type(() => TaxOfRate)
  rates: TaxOfRate[];
}

export class RefundRequest extends TransactionRequest {
  @ApiProperty({ description: 'the name of the refund, such as the number of a credit note', example: 'CN-2026-0001' })
  @IsText(MAX_NAME)
  reference: string;

  @ApiProperty({ description: 'gross, in minor units', example: 2_140 })
  @IsInt()
  @Min(1)
  @Max(MAX_AMOUNT)
  amount: number;
}
