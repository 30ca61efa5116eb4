/** How slow the provider is behind its answers: settings of the admin routes, beside the faults. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

/** Longer than any test waits. */
const MAX_WAIT_MS = 3_600_000;

export class WaitSettings {
  @ApiPropertyOptional({ description: 'a new intent is found by the search after so long' })
  @IsInt()
  @Min(0)
  @Max(MAX_WAIT_MS)
  searchLagMs: number = 0;
  @ApiPropertyOptional({
    description:
      'what is processing or pending is settled by itself after so long, and a refund of `tok_refund_fails` has failed; without it, only an admin does so',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_WAIT_MS)
  settleAfterMs?: number;
}

export class Settings {
  private settings = new WaitSettings();
  private readonly listeners: (() => void)[] = [];

  current(): WaitSettings {
    return this.settings;
  }

  use(settings: WaitSettings): void {
    this.settings = settings;
    for (const listener of this.listeners) listener();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }
}
