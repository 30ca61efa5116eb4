/** Shares of requests or mails, and the seed that decides which ones: as admin routes take them. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Problem } from '@shop/problem';
import { IsInt, IsNumber, Max, Min } from 'class-validator';

const MAX_SEED = 2 ** 32 - 1;

export const Share = (description: string) => (target: object, name: string) => {
  ApiPropertyOptional({ description, minimum: 0, maximum: 1 })(target, name);
  IsNumber()(target, name);
  Min(0)(target, name);
  Max(1)(target, name);
};

export const Seed = (description: string) => (target: object, name: string) => {
  ApiPropertyOptional({ description, minimum: 0, maximum: MAX_SEED })(target, name);
  IsInt()(target, name);
  Min(0)(target, name);
  Max(MAX_SEED)(target, name);
};

/** @throws Problem 400 when there would be more faults than there are things */
export function checkShares(sum: number, things: 'requests' | 'mails'): void {
  if (sum <= 1) return;
  throw new Problem(400, 'validation_failed', `the rates are shares of the same ${things}: together at most 1`);
}
