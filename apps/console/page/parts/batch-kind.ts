/** What differs between acts on many sagas and acts on many dead letters. */
import type { BatchRow } from '../answers';

export interface BatchAct {
  name: string;
  /** What it does, in the list of acts. */
  text: string;
  reason: 'needed' | 'welcome';
  dangerous?: boolean;
  /** What else follows, said before. */
  consequence?: string;
}

export interface BatchKind {
  /** Where the batches are asked for. */
  path: string;
  /** Their page in the console; the id of a batch comes behind it. */
  page: readonly string[];
  /** The page that leads there. */
  from: { title: string; href: string };
  /** One of many, such as `saga`. */
  noun: string;
  acts: readonly BatchAct[];
  /** The id of what a row is about, and its page. */
  subjectOf: (row: BatchRow) => { id: string; href: string };
}
