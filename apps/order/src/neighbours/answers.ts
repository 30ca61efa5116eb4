/** What is used of the answers of other services: a part of what they say, in the form that we can rely on. */
import { CURRENCY, MAX_LINES, PAYMENT_ID, SKU } from '@shop/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';

/** A status is a word: a neighbour of a newer release may have one that is not known here. */
const WORD = /^[a-z_]{1,40}$/;
/** The way in which the carrier brings it. */
const SERVICE = /^[a-z-]{1,20}$/;
/** A page of theirs is never longer. */
const MAX_ITEMS = 200;

const Amount = () => (target: object, name: string) => {
  IsInt()(target, name);
  Min(0)(target, name);
  Max(Number.MAX_SAFE_INTEGER)(target, name);
};

export class SeenStock {
  @Matches(SKU) sku: string;
  /** Pieces that are there and that nobody holds. */
  @Amount() available: number;
  /** The same with those that may be ordered before they are there. Absent from a neighbour of an earlier release. */
  @IsOptional() @Amount() orderable?: number;
}

export class SeenStocks {
  @IsArray() @ArrayMaxSize(MAX_ITEMS) @ValidateNested({ each: true }) @Type(() => SeenStock) items: SeenStock[];
}

export class SeenLine {
  @Matches(SKU) sku: string;
  @Amount() quantity: number;
}

export class SeenReservation {
  @IsUUID() id: string;
  @Matches(WORD) status: string;
  @IsArray() @ArrayMaxSize(MAX_LINES) @ValidateNested({ each: true }) @Type(() => SeenLine) lines: SeenLine[];
  /** Pieces that are promised and not there yet. The components of bundles may be more than the lines. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_LINES * MAX_LINES)
  @ValidateNested({ each: true })
  @Type(() => SeenLine)
  awaited?: SeenLine[];
  @IsOptional() @IsISO8601({ strict: true }) expiresAt?: string;
}

/** Neither the name of the payment at the provider nor its reasons: those are for operators, who ask payment itself. */
export class SeenPayment {
  @IsOptional() @IsUUID() orderId: string | null;
  @Matches(WORD) status: string;
  @Amount() amount: number;
  @Matches(CURRENCY) currency: string;
  @Amount() captured: number;
  @Amount() refunded: number;
}

export class SeenPayments {
  @IsArray() @ArrayMaxSize(MAX_ITEMS) @ValidateNested({ each: true }) @Type(() => SeenPayment) items: SeenPayment[];
}

/** Whose payment it is: for operators who look for an order. */
export class SeenPaymentId {
  @Matches(PAYMENT_ID) id: string;
  /** Null for a payment that belongs to no order. */
  @IsOptional() @IsUUID() orderId?: string | null;
}

export class SeenPaymentIds {
  @IsArray() @ArrayMaxSize(MAX_ITEMS) @ValidateNested({ each: true }) @Type(() => SeenPaymentId) items: SeenPaymentId[];
}

/** Not what went wrong with it, nor its label: those are for operators, who ask fulfilment itself. */
export class SeenDelivery {
  @IsUUID() orderId: string;
  @Matches(WORD) status: string;
  /** Null until it is handed over. */
  @IsOptional() @Matches(SERVICE) service?: string | null;
  @IsOptional() @IsString() @MaxLength(100) trackingNumber?: string | null;
}

export class SeenDeliveries {
  @IsArray() @ArrayMaxSize(MAX_ITEMS) @ValidateNested({ each: true }) @Type(() => SeenDelivery) items: SeenDelivery[];
}

export class SeenTotals {
  /** With the tax. */
  @Amount() gross: number;
  @Amount() tax: number;
}

export class SeenInvoice {
  @IsString() @MaxLength(50) number: string;
  @Matches(WORD) kind: string;
  @IsUUID() orderId: string;
  @Matches(CURRENCY) currency: string;
  @IsDefined() @ValidateNested() @Type(() => SeenTotals) totals: SeenTotals;
  @IsISO8601({ strict: true }) issuedAt: string;
}

export class SeenInvoices {
  @IsArray() @ArrayMaxSize(MAX_ITEMS) @ValidateNested({ each: true }) @Type(() => SeenInvoice) items: SeenInvoice[];
}

export class SeenEntry {
  /** Of a command. */
  @IsString() @MaxLength(255) id: string;
  @Matches(WORD) state: string;
  @IsOptional() @Amount() answerStatus?: number;
  @IsISO8601({ strict: true }) createdAt: string;
  @IsOptional() @IsISO8601({ strict: true }) completedAt?: string;
  @IsOptional() @IsISO8601({ strict: true }) expiresAt?: string;
}

export class SeenEntries {
  @IsArray() @ArrayMaxSize(MAX_ITEMS) @ValidateNested({ each: true }) @Type(() => SeenEntry) items: SeenEntry[];
}
