/** How columns of entities are read, where the value of the driver differs from our types and our JSON. */
import type { ValueTransformer } from 'typeorm';

/** A point in time as its ISO text. */
export const isoTime: ValueTransformer = {
  from: (at: Date) => at.toISOString(),
  to: (text?: string) => text,
};

/** The same for a column that may be null. */
export const isoTimeOrNull: ValueTransformer = {
  from: (at: Date | null) => at?.toISOString() ?? null,
  to: (text?: string | null) => text,
};

/** The same where null becomes undefined. */
export const isoTimeIfAny: ValueTransformer = {
  from: (at: Date | null) => at?.toISOString(),
  to: (text?: string) => text ?? null,
};

/** Null becomes undefined, which JSON leaves out. */
export const absentIfNull: ValueTransformer = {
  from: (value: unknown) => value ?? undefined,
  to: (value: unknown) => value ?? null,
};
