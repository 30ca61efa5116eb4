/** What the carrier does by itself, and what goes wrong at it: settings of the admin routes. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsNumber, Max, Min } from 'class-validator';
import { FaultPlanner } from '../faults/faults';

/** A year. */
const MAX_DELIVERY_SECONDS = 31_536_000;

export class CarrierSettings {
  @ApiPropertyOptional({
    description: 'a parcel has arrived so long after it was taken; it is on its way behind half of it',
  })
  @IsNumber()
  @Min(0)
  @Max(MAX_DELIVERY_SECONDS)
  deliverySeconds: number = 600;
  @ApiPropertyOptional({ description: 'whether no parcel is brought back any more' })
  @IsBoolean()
  refuseRecalls: boolean = false;
}

/** The settings as they are now. */
export class CarrierRules {
  private settings: CarrierSettings;

  constructor(atStart: Partial<CarrierSettings> = {}) {
    this.settings = Object.assign(new CarrierSettings(), atStart);
  }

  current(): CarrierSettings {
    return this.settings;
  }

  use(settings: CarrierSettings): void {
    this.settings = settings;
  }
}

/** What goes wrong with requests to the carrier. */
export class CarrierFaults extends FaultPlanner {}
