/** Where the provider sends its events, and how badly: the settings of the admin route. */
import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsBoolean, IsInt, IsString, Matches, Max, MaxLength, Min, MinLength } from 'class-validator';
import { Problem } from '@shop/problem';
import { Seed, Share } from '../faults/shares';

const MAX_WAIT_MS = 60_000;
const MAX_REPEAT = 10;
const MAX_LENGTH = 500;

export class WebhookSettings {
  @ApiProperty({ description: 'takes the events by POST', example: 'http://127.0.0.1:3002/webhooks/stripe' })
  @Matches(/^https?:\/\/[^\s#]+$/, { message: 'must look like https://host/path' })
  @MaxLength(MAX_LENGTH)
  url: string;
  @ApiProperty({ description: 'signs the events', minLength: 8, example: 'whsec_development' })
  @IsString()
  @MinLength(8)
  @MaxLength(MAX_LENGTH)
  secret: string;
  @ApiPropertyOptional({ description: 'whether events are sent' })
  @IsBoolean()
  enabled: boolean = true;
  @ApiPropertyOptional({ description: 'wait before every delivery' })
  @IsInt()
  @Min(0)
  @Max(MAX_WAIT_MS)
  delayMs: number = 0;
  @ApiPropertyOptional({ description: 'up to this much more, evenly spread' })
  @IsInt()
  @Min(0)
  @Max(MAX_WAIT_MS)
  jitterMs: number = 0;
  @ApiPropertyOptional({ description: 'each event is delivered so many times' })
  @IsInt()
  @Min(1)
  @Max(MAX_REPEAT)
  repeat: number = 1;
  @ApiPropertyOptional({ description: 'a waiting event is taken by chance, and not the oldest one' })
  @IsBoolean()
  shuffle: boolean = false;
  @Share('share of deliveries that get lost')
  dropRate: number = 0;
  @Seed('the same seed makes the same choices in the same order')
  seed: number = 1;
}

/** The secret is told to nobody. */
export class WebhookView extends OmitType(WebhookSettings, ['secret']) {}

/** @throws Problem 404 `webhooks_off` when there are none */
export function webhookView(settings: WebhookSettings | undefined): WebhookView {
  if (!settings) throw new Problem(404, 'webhooks_off', 'events are sent nowhere');
  const { secret: _, ...view } = settings;
  return view;
}
