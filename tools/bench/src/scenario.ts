/** What every scenario is given, and what it hands back to be printed. */
import type { Options } from './options';
import type { Row } from './table';

export interface ScenarioReport {
  rows: Row[];
  /** Printed as one line of JSON, with the scenario's name and the faults. */
  summary: Record<string, unknown>;
  /** Sentences, one for each thing that is wrong with the books. */
  faults: string[];
}

export type Say = (sentence: string) => void;

export type Scenario = (options: Options, say: Say) => Promise<ScenarioReport>;
