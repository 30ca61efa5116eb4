/** One thing that may happen next. */
export interface Choice {
  /** How likely it is, relative to the others. */
  weight: number;
  /** The line for the trace. */
  text: () => string;
  take: () => void;
}
