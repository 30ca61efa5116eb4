/** One request that a row of the tables has made, and how to see what it has done. */
import type { ServiceName } from '@shop/system';

export type Service = Exclude<ServiceName, 'sandbox'>;

/** It is for a subject that no other request has. */
export interface Attempt {
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Whose request it is; the developer's, who may do everything in the tenant `demo`, if not given. */
  apiKey?: string;
  /** How often that which the request asks for has been done: 0 before it, and 1 behind any number of repeats. */
  done: () => Promise<number>;
}
