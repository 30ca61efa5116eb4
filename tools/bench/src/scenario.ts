/** The input of every scenario, and its result for printing. */
import type { Options } from './options';
import type { Row } from './table';

export interface ScenarioReport {
  rows: Row[];
  /** Printed as one line of JSON, with the scenario's name and the faults. */
  summary: Record<string, unknown>;
  /** One sentence for each fault in the books. */
  faults: string[];
}

export type Say = (sentence: string) => void;

export type Scenario = (options: Options, say: Say) => Promise<ScenarioReport>;
