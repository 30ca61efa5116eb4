/** The admin routes: they set faults for the /v1 routes, and show the provider's books. */
import { Body, Controller, Delete, Get, HttpCode, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '@shop/http';
import { checkRates, FaultPlanner, FaultSettings } from './faults/faults';
import { ChargesView } from './charges.view';
import { Settings, WaitSettings } from './settings';
import { chargesOf } from './stripe/audit';
import { Books } from './stripe/books';

@ApiTags('admin')
@Controller('admin')
export class AdminController {
  constructor(
    private readonly faults: FaultPlanner,
    private readonly books: Books,
    private readonly settings: Settings,
  ) {}

  @Get('faults')
  @ApiOperation({
    operationId: 'getFaults',
    summary: 'The faults that the /v1 routes show',
    description: 'Shares of requests, and times to wait.',
  })
  @ApiAnswer(200, FaultSettings, { description: 'the faults as they are now' })
  getFaults(): FaultSettings {
    return this.faults.current();
  }

  @Put('faults')
  @ApiOperation({
    operationId: 'setFaults',
    summary: 'Sets all faults anew; what is left out is off',
    description: 'Shares are of the same requests, so together they are at most 1.',
  })
  @ApiAnswer(200, FaultSettings, { description: 'the faults as they are now' })
  putFaults(@Body() settings: FaultSettings): FaultSettings {
    checkRates(settings);
    this.faults.use(settings);
    return this.faults.current();
  }

  @Delete('faults')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'clearFaults',
    summary: 'Turns all faults off',
    description: 'From now on everything goes well.',
  })
  @ApiAnswer(204, null, { description: 'off' })
  deleteFaults(): void {
    this.faults.use(new FaultSettings());
  }

  @Get('settings')
  @ApiOperation({
    operationId: 'getSettings',
    summary: 'How slow the provider is behind its answers',
    description: 'Times to wait.',
  })
  @ApiAnswer(200, WaitSettings, { description: 'the settings as they are now' })
  getSettings(): WaitSettings {
    return this.settings.current();
  }

  @Put('settings')
  @ApiOperation({
    operationId: 'setSettings',
    summary: 'Sets how slow the provider is; what is left out is as at the start',
    description: 'Also for what waits already.',
  })
  @ApiAnswer(200, WaitSettings, { description: 'the settings as they are now' })
  putSettings(@Body() settings: WaitSettings): WaitSettings {
    this.settings.use(settings);
    return this.settings.current();
  }

  @Get('charges')
  @ApiOperation({
    operationId: 'listCharges',
    summary: 'Every charge that took money, oldest first, with what was given back',
    description: 'What a person would see at the provider.',
  })
  @ApiAnswer(200, ChargesView, { description: 'all of them' })
  getCharges(): ChargesView {
    return { charges: chargesOf(this.books) };
  }

  @Delete('keys')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'forgetKeys',
    summary: 'Forgets all idempotency keys, and keeps the money where it is',
    description: 'As a day later: a request with a known key is carried out again.',
  })
  @ApiAnswer(204, null, { description: 'forgotten' })
  deleteKeys(): void {
    this.books.forgetKeys();
  }

  @Delete('charges')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'clearCharges',
    summary: 'Empties the books: charges, refunds and stored answers',
    description: 'As if nobody had ever paid.',
  })
  @ApiAnswer(204, null, { description: 'empty' })
  deleteCharges(): void {
    this.books.clear();
  }
}
