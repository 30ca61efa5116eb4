/** What clients send about invoices. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { CURRENCY, MAX_LINES, SKU } from '@shop/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsOptional,
  IsRFC3339,
  IsUUID,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { type InvoiceLine, type TaxOfRate, type Totals, WHOLE } from './totals';

/** The sum of as many lines as there may be is still a whole number that JSON holds exactly. */
const MAX_AMOUNT = 10_000_000_000_000;
const MAX_PIECES = 1_000_000;

export class NewInvoiceBody {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  @IsUUID()
  orderId: string;
}

const IsAmount = (): PropertyDecorator => (target, name) => {
  for (const check of [IsInt(), Min(0), Max(MAX_AMOUNT)]) check(target, name);
};

const IsRate = (): PropertyDecorator => (target, name) => {
  for (const check of [IsInt(), Min(0), Max(WHOLE)]) check(target, name);
};

@ApiSchema({ name: 'TaxOfRate', description: 'What of an invoice has one rate of tax.' })
export class TaxOfRateBody implements TaxOfRate {
  @ApiProperty({ type: 'integer', description: 'basis points: 1900 is 19 %', example: 1_900 })
  @IsRate()
  rate: number;

  @ApiProperty({ type: 'integer', description: 'net and tax together, in minor units', example: 4_200 })
  @IsAmount()
  gross: number;

  @ApiProperty({ type: 'integer', example: 3_529 })
  @IsAmount()
  net: number;

  @ApiProperty({ type: 'integer', example: 671 })
  @IsAmount()
  tax: number;
}

@ApiSchema({ name: 'InvoiceLine', description: 'A line of an invoice.' })
export class InvoiceLineBody extends TaxOfRateBody implements InvoiceLine {
  @ApiProperty({ example: 'cup' })
  @Matches(SKU)
  sku: string;

  @ApiProperty({ type: 'integer', description: 'pieces', example: 2 })
  @IsInt()
  @Min(1)
  @Max(MAX_PIECES)
  quantity: number;
}

@ApiSchema({ name: 'InvoiceTotals', description: 'The sums of an invoice.' })
export class TotalsBody implements Totals {
  @ApiProperty({ type: 'integer', description: 'net and tax together, in minor units', example: 4_200 })
  @IsAmount()
  gross: number;

  @ApiProperty({ type: 'integer', example: 3_529 })
  @IsAmount()
  net: number;

  @ApiProperty({ type: 'integer', example: 671 })
  @IsAmount()
  tax: number;

  @ApiProperty({ type: [TaxOfRateBody], description: 'one for each rate, the highest first' })
  @IsArray()
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  @Type(() => TaxOfRateBody)
  rates: TaxOfRateBody[];
}

export class BroughtInvoiceBody {
  @ApiPropertyOptional({ format: 'uuid', description: 'the order, if it is one of this shop' })
  @IsOptional()
  @IsUUID()
  orderId?: string;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  @Matches(CURRENCY, { message: 'currency must be three capital letters, as in ISO 4217' })
  currency: string;

  @ApiProperty({ format: 'date-time', example: '2025-03-01T12:00:00.000Z' })
  @IsRFC3339()
  issuedAt: string;

  @ApiProperty({ type: [InvoiceLineBody] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  @Type(() => InvoiceLineBody)
  lines: InvoiceLineBody[];

  @ApiProperty({ type: TotalsBody })
  @ValidateNested()
  @Type(() => TotalsBody)
  totals: TotalsBody;
}
