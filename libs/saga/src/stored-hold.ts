/** How a saga's row keeps that it is held, and how people see it. Pure. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { Hold, SagaState } from './saga-state';

/** It names the version of its row: a release that does not know the column leaves it behind when it moves the saga. */
export type StoredHold = Hold & { version: number };

@ApiSchema({ name: 'Held', description: 'Somebody holds the saga, or the step where it stands: nothing is sent.' })
export class HeldView {
  @ApiProperty({ description: 'who', example: 'olga' })
  by: string;

  @ApiProperty({ description: 'why', example: 'the provider has announced repairs' })
  reason: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.040Z' })
  since: string;

  @ApiProperty({ enum: ['saga', 'step'], description: 'this saga, or every saga at its step', example: 'saga' })
  scope: 'saga' | 'step';
}

export function storedHold({ held }: SagaState, version: number): StoredHold | undefined {
  return held && { ...held, version };
}

interface Row {
  held: StoredHold | null;
  version: number;
}

export function knownHold({ held, version: now }: Row): Pick<SagaState, 'held'> {
  if (held?.version !== now) return {};
  const { version: _, ...hold } = held;
  return { held: hold };
}

export function heldView(row: Row): HeldView | null {
  const { held } = knownHold(row);
  if (!held) return null;
  const { by, reason, since, step } = held;
  return { by, reason, since: new Date(since!).toISOString(), scope: step ? 'step' : 'saga' };
}

/** The same in SQL, for a row of the table `saga`. The index `saga_held` has the rows whose column is not null. */
export const isHeld = `(held is not null and (held ->> 'version')::int = version)`;
