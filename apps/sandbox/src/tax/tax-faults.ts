/** What goes wrong at the tax service: the faults of every API here, and refunds that it does not take. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { FaultPlanner, FaultSettings } from '../faults/faults';

export class TaxFaultSettings extends FaultSettings {
  @ApiPropertyOptional({ description: 'whether every refund is answered with 422 `refund_refused`' })
  @IsBoolean()
  refuseRefunds: boolean = false;
}

export class TaxFaults extends FaultPlanner<TaxFaultSettings> {
  constructor() {
    super(new TaxFaultSettings());
  }
}
