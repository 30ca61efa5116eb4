/** What an erasure is asked for, and what it reports. */
import { TENANT } from '@shop/http';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsText } from '@shop/validation';
import { Matches } from 'class-validator';
import type { ErasedRows } from './own-data';

/** In the body and not in the path, because addresses are written into logs. */
export class CustomerErasureBody {
  @ApiProperty({ description: 'as the orders name the customer', example: 'alice' })
  @IsText(100)
  customerId: string;
}

export class TenantErasureBody {
  @ApiProperty({ example: 'acme' })
  @Matches(TENANT)
  tenant: string;
}

@ApiSchema({ name: 'ErasedRows', description: 'What was erased from one table.' })
export class ErasedRowsView implements ErasedRows {
  @ApiProperty({ example: 'orders' })
  table: string;

  @ApiProperty({ description: 'what was erased, in words', example: 'names of customers' })
  what: string;

  @ApiProperty({ type: 'integer', description: 'how many rows were changed or removed', example: 3 })
  rows: number;
}

@ApiSchema({ name: 'Erasure', description: 'What an erasure has done in one service.' })
export class ErasureView {
  @ApiProperty({ type: [ErasedRowsView], description: 'table by table; a repeat finds nothing any more' })
  erased: ErasedRows[];
}
