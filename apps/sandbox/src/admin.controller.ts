/** The routes behind the stage: faults for the /v1 routes, and the books as the outside world sees them. */
import { Body, Controller, Delete, Get, HttpCode, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Problem } from '@shop/problem';
import { FaultPlanner, FaultSettings, sumOfRates } from './faults/faults';
import { Books, type ChargeRecord } from './stripe/books';

@ApiTags('admin')
@Controller('admin')
export class AdminController {
  constructor(
    private readonly faults: FaultPlanner,
    private readonly books: Books,
  ) {}

  @Get('faults')
  @ApiOperation({ summary: 'The faults that the /v1 routes show' })
  getFaults(): FaultSettings {
    return this.faults.current();
  }

  @Put('faults')
  @ApiOperation({ summary: 'Sets all faults anew; what is left out is off' })
  putFaults(@Body() settings: FaultSettings): FaultSettings {
    if (sumOfRates(settings) > 1) {
      throw new Problem(400, 'validation_failed', 'the rates are shares of the same requests: together at most 1');
    }
    this.faults.use(settings);
    return this.faults.current();
  }

  @Delete('faults')
  @HttpCode(204)
  @ApiOperation({ summary: 'Turns all faults off' })
  deleteFaults(): void {
    this.faults.use(new FaultSettings());
  }

  @Get('charges')
  @ApiOperation({ summary: 'Every charge that took money, oldest first, with what was given back' })
  getCharges(): { charges: ChargeRecord[] } {
    return { charges: this.books.charges() };
  }

  @Delete('charges')
  @HttpCode(204)
  @ApiOperation({ summary: 'Empties the books: charges, refunds and stored answers' })
  deleteCharges(): void {
    this.books.clear();
  }
}
