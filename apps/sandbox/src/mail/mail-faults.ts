/** What goes wrong with mails: by the rates set over the admin route. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { seeded } from '../faults/seeded';
import { checkShares, Seed, Share } from '../faults/shares';

/** Longer than any sender waits here. */
const MAX_DELAY_MS = 120_000;

export class MailFaultSettings {
  @ApiPropertyOptional({ description: 'wait before every answer to a mail' })
  @IsInt()
  @Min(0)
  @Max(MAX_DELAY_MS)
  delayMs: number = 0;
  @Share('share answered with 451, and not kept')
  temporaryRate: number = 0;
  @Share('share answered with 550, and not kept')
  permanentRate: number = 0;
  @Share('share that is kept, and whose connection is closed instead of an answer')
  lostAnswerRate: number = 0;
  @Seed('the same seed gives the same faults in the same order')
  seed: number = 1;
}

export type MailFault = 'temporary' | 'permanent' | 'lost_answer';

/** @throws Problem 400 when there would be more faults than mails */
export const checkMailRates = ({ temporaryRate, permanentRate, lostAnswerRate }: MailFaultSettings): void =>
  checkShares(temporaryRate + permanentRate + lostAnswerRate, 'mails');

export class MailFaults {
  private settings = new MailFaultSettings();
  private random = seeded(this.settings.seed);

  current(): MailFaultSettings {
    return this.settings;
  }

  /** Restarts the random generator, so that a repeated test sees the same faults. */
  use(settings: MailFaultSettings): void {
    this.settings = settings;
    this.random = seeded(settings.seed);
  }

  /** For the next mail. */
  plan(): { delayMs: number; fault?: MailFault } {
    const { delayMs, temporaryRate, permanentRate, lostAnswerRate } = this.settings;
    const share = this.random();
    let edge = temporaryRate;
    if (share < edge) return { delayMs, fault: 'temporary' };
    if (share < (edge += permanentRate)) return { delayMs, fault: 'permanent' };
    return share < edge + lostAnswerRate ? { delayMs, fault: 'lost_answer' } : { delayMs };
  }
}
