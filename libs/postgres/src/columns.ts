/** How columns of entities are read, where the driver's value is not the one that our types and our JSON have. */
import type { ValueTransformer } from 'typeorm';

/** A point in time as its ISO text. */
export const isoTime: ValueTransformer = {
  from: (at: Date) => at.toISOString(),
  to: (text?: string) => text,
};

/** Null as undefined, which JSON leaves out. */
export const absentIfNull: ValueTransformer = {
  from: (value: unknown) => value ?? undefined,
  to: (value: unknown) => value ?? null,
};
